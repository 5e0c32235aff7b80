#!/bin/sh
# Build the page into the package. Without npm the servers say that it has not been built; all else works.
set -eu
if ! command -v npm >/dev/null 2>&1; then
    echo "npm is not installed: the page at / is not built (install Node.js 20 to change that)." >&2
    exit 0
fi
cd playground
if [ ! -f node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
    npm ci --silent --ignore-scripts --no-audit --no-fund
    touch node_modules/.installed
fi
npm run --silent build -- --logLevel warn
