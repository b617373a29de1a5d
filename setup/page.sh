#!/bin/sh
# SPDX-License-Identifier: MIT
# page.sh - build the web page (web/) into web/dist, unless that is newer than its sources. Several
# builds may call this at once: one works, the others wait and find it done.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"

web=$ROOT/web
stamp=$web/dist/.stamp
log=$ROOT/build/page.log
exec 9>"$ROOT/build/page.lock"
flock 9

outdated() {
    [ -e "$stamp" ] || return 0
    [ -n "$(find "$web/src" "$web"/*.* -newer "$stamp" -print -quit)" ]
}

outdated || exit 0
if ! command -v npm >/dev/null; then
    [ -e "$web/dist/index.html" ] || die "the web page is not built and there is no npm; install \
nodejs and npm, or use a release tarball, which contains the built page"
    say "no npm: the web page is used as it is in web/dist"
    touch "$stamp"
    exit 0
fi

cd "$web"
if ! cmp -s package-lock.json node_modules/.doze-lock; then
    say "npm ci in web (the web page's tools)"
    npm ci --no-audit --no-fund >"$log" 2>&1 </dev/null || {
        tail -n 20 "$log" >&2
        die "npm ci failed (offline? its output is in build/page.log)"
    }
    cp package-lock.json node_modules/.doze-lock
fi
say "building the web page"
npm run --silent build >"$log" 2>&1 </dev/null || {
    tail -n 30 "$log" >&2
    die "the web page could not be built; the output is in build/page.log"
}
touch "$stamp"
