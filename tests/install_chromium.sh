#!/bin/sh
# Chromium and a font with Chinese for the browser tests, from Debian or Ubuntu, where that may be done without asking.
# Never fails: the tests say what they skip.
set -u

has_chromium() { command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; }
has_font() { command -v fc-list >/dev/null 2>&1 && fc-list :lang=zh 2>/dev/null | grep -q .; }

has_chromium && has_font && exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "browser tests: Chromium or a Chinese font is missing, and only root may install them; the tests will say what they skip." >&2
        echo "    sudo apt-get install chromium fonts-noto-cjk" >&2
        exit 0
    fi
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "browser tests: there is no apt-get here; install Chromium and Noto Sans CJK by hand, or see the tests skip." >&2
    exit 0
fi
echo "installing chromium and fonts-noto-cjk for the browser tests" >&2
$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq chromium fonts-noto-cjk >/dev/null ||
    echo "browser tests: the packages could not be installed; the tests will say what they skip." >&2
exit 0
