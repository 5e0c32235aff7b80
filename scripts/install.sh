#!/bin/sh
# Make the virtual environment $1 from the hash-pinned lock $2: with uv when it is there, else with venv and pip.
set -eu
venv=$1 lock=$2 python=${PYTHON:-python3}

"$python" - <<'CHECK' || exit 1
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(f"tollbrush needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12")
CHECK

echo "Installing into $venv (a few minutes the first time) …" >&2
if command -v uv >/dev/null 2>&1; then
    [ -x "$venv/bin/python" ] || uv venv --quiet --python "$("$python" -c 'import sys; print(sys.executable)')" "$venv"
    uv pip sync --quiet --python "$venv/bin/python" --require-hashes "$lock"
    uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation --editable .
else
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null  # one made by uv
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$lock"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
fi
