#!/bin/sh
# Add the diffusion engine and Ray to the virtual environment $1, from the hash-pinned lock $2: with torch's CPU build,
# and only where pip finds it. Nothing of CUDA is ever downloaded. Leaves $1/.diffusion behind when it is there.
set -eu
venv=$1 lock=$2 only=$(mktemp)
trap 'rm -f "$only"' EXIT
pip() { "$venv/bin/python" -m pip "$@"; }

pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null  # the environment was made by uv
awk '/^[^ #]/ { torch = /^torch==/ } torch' "$lock" >"$only"
if ! pip install --quiet --disable-pip-version-check --dry-run --no-deps --only-binary :all: --require-hashes \
    --requirement "$only" >/dev/null 2>&1; then
    version=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$only" | head -n 1)
    echo "pip finds no CPU build of torch $version with a pinned hash: the diffusion engine's tests are skipped" \
        "(to have them, on Python 3.11, put PyTorch's CPU wheel into a folder and set PIP_FIND_LINKS to it)." >&2
    exit 0
fi
echo "Adding the diffusion engine on the CPU, and Ray …" >&2
pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --requirement "$lock"
touch "$venv/.diffusion"
