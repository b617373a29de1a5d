#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh - setup/system-packages.sh says what it will install before it uses sudo, and asks
# where there is a terminal. Runs a copy of it among programs that only say they were called.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/bin" "$tree/setup"
cp "$root"/setup/*.sh "$root"/setup/*.txt "$tree/setup"
cd "$tree"

# program NAME LINE: a fake one
program() {
    printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}
program dpkg-query 'exit 1' # nothing is installed
program apt-cache ''
program apt-get "echo \"\$@\" >>$tree/calls"
program sudo "echo sudo >>$tree/calls; exec \"\$@\""
program id 'echo 1000'

fail() {
    printf '%s\n' "$out"
    echo "setup-packages: $1" >&2
    exit 1
}

# try ANSWER COMMAND: with a terminal unless ANSWER is "none"; sets out and calls
try() {
    : >calls
    if [ "$1" = none ]; then
        out=$(PATH="$tree/bin:$PATH" sh -c "$2" </dev/null 2>&1) || out="$out FAILED"
    else
        out=$(echo "$1" | PATH="$tree/bin:$PATH" script -qec "$2" /dev/null 2>&1) ||
            out="$out FAILED"
    fi
    calls=$(cat calls)
}

try none 'sh setup/system-packages.sh'
case $out in
*'packages: gcc'*ninja-build*'running sudo apt-get install gcc'*) ;;
*) fail 'does not say what it installs' ;;
esac
case $calls in sudo*'install -y'*gcc*) ;; *) fail 'without a terminal it does not go on' ;; esac

try n 'sh setup/system-packages.sh'
case $out in *'sudo apt-get install gcc'*'[Y/n]'*FAILED) ;; *) fail 'does not ask' ;; esac
[ -z "$calls" ] || fail 'installs after a no'

try y 'sh setup/system-packages.sh test'
case $calls in sudo*gcc*clang-tidy*) ;; *) fail 'installs nothing after a yes' ;; esac

try '' 'sh setup/system-packages.sh -y'
case $out in *'[Y/n]'*) fail 'asks in spite of -y' ;; esac
case $calls in sudo*gcc*) ;; *) fail 'installs nothing with -y' ;; esac
echo 'setup-packages: ok'
