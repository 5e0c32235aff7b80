#!/bin/sh
# Add the diffusion engine and Ray to the virtual environment $1, from the hash-pinned lock $2: with torch's CPU build,
# and only where pip finds it. No package of CUDA is ever downloaded. torchvision goes into a folder apart, $1/beside: its
# wheel is built for CUDA's torch, and only tests/support/seeing.py can import it. Leaves $1/.diffusion behind.
set -eu
venv=$1 lock=$2 part=$(mktemp)
trap 'rm -f "$part"' EXIT
pip() { "$venv/bin/python" -m pip "$@"; }
only() { awk "/^[^ #]/ { here = $1 } here" "$lock" >"$part"; }
add() {
    pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --requirement "$part" "$@"
}

pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null  # the environment was made by uv
only '/^torch==/'
if ! add --dry-run >/dev/null 2>&1; then
    version=$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$part" | head -n 1)
    echo "pip finds no CPU build of torch $version with a pinned hash: the diffusion engine's tests are skipped" \
        "(to have them, on Python 3.11, put PyTorch's CPU wheel into a folder and set PIP_FIND_LINKS to it)." >&2
    exit 0
fi
echo "Adding the diffusion engine on the CPU, and Ray …" >&2
only '!/^torchvision==/'
add
only '/^torchvision==/'
add --upgrade --target "$venv/beside" ||
    echo "pip could not add torchvision: the tests of models that read pictures with it are skipped." >&2
touch "$venv/.diffusion"
