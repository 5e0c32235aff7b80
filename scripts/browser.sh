#!/bin/sh
# A browser for the tests of the page and of the router's guard: Debian's own, where this is root.
set -eu
command -v chromium >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests …" >&2
    { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; } >/dev/null 2>&1 ||
        echo "apt-get could not install chromium: the browser tests are skipped." >&2
else
    echo "chromium is not installed: the browser tests are skipped (Debian: sudo apt-get install chromium)." >&2
fi
