#!/bin/sh
# The JavaScript-registry tools that the tests and the demo use when they are there: anvil and solc.
set -eu
if command -v npm >/dev/null 2>&1; then
    npm ci --silent --ignore-scripts --no-audit --no-fund || echo "npm ci failed: the local Base runs in Python instead of anvil." >&2
else
    echo "npm is not installed: the local Base runs in Python instead of anvil (install Node.js 20 to change that)." >&2
fi
