#!/bin/sh
# Installs Debian's Chromium and a font with Chinese letters for the browser tests, where that is allowed.
# Never fails: where it may not, it says that those tests will be skipped, and why.
set -u

have() { command -v "$1" >/dev/null 2>&1; }
skipped() {
    echo "browser tests will be skipped: $1" >&2
    exit 0
}

if [ -n "${WALLBOARD_CHROMIUM:-}" ] || have chromium || have chromium-browser || have google-chrome; then
    exit 0
fi
have apt-get || skipped "there is no Chromium, and no apt-get to install it with; install Chromium by hand"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif have sudo && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    skipped "there is no Chromium, and installing it needs root: sudo apt-get install chromium fonts-noto-cjk"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing chromium and fonts-noto-cjk for the browser tests ..." >&2
if $as_root apt-get update >"$log" 2>&1 &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-noto-cjk >>"$log" 2>&1; then
    exit 0
fi
tail -n 3 "$log" >&2
skipped "apt-get could not install chromium (its last lines are above)"
