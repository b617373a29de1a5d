#!/bin/sh
# SPDX-License-Identifier: MIT
# test-operations.sh [SUITE…] - the commands of docs/operations.md, run as they are printed there, in
# a tree of each Debian suite (bookworm and trixie if none is named) in which nothing but systemd,
# sudo, make and git was installed. As root.
#
# The tree's own systemd is process 1, so units are really started; a user `admin` with sudo has the
# release tarball unpacked in ~/doze and runs each block of ```sh from there, in order, until a
# command fails. A line above a block says what it needs beside that:
#   <!-- needs: network -->  it is run in this machine's network; the others have a loopback alone
#   <!-- needs: podman -->   or whatever else the tree has not: it is listed as not run
# The packages of llama.cpp are those in build/deps/download; all else comes from apt. Where CCACHE_DIR
# is set, a compiler cache in its folder `trees` makes later runs short.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/../setup/common.sh"
# shellcheck source=packaging/trees.sh
. "$ROOT/packaging/trees.sh"

[ "$(id -u)" -eq 0 ] || die "this test needs root (mount, chroot, namespaces)"
for tool in debootstrap unshare nsenter; do
    command -v "$tool" >/dev/null ||
        die "$tool is missing: apt-get install debootstrap util-linux"
done
cd "$ROOT"
DOCUMENT=docs/operations.md
ADMIN=1000

# blocks FOLDER: the document's ```sh blocks as FOLDER/NN.sh, and what each needs as FOLDER/NN.needs.
blocks() {
    awk -v folder="$1" '
        /^<!-- needs: .* -->$/ { needs = $0; gsub(/^<!-- needs: | -->$/, "", needs); next }
        /^```sh$/ {
            file = sprintf("%s/%02d", folder, ++n)
            print needs > (file ".needs")
            while ((getline line) > 0 && line != "```") print line > (file ".sh")
        }
        NF { needs = "" }' "$DOCUMENT"
}

# What runs in the tree before it is booted, without systemd.
prepare() {
    cat >"$1/test/prepare.sh" <<'END'
set -eu
export DEBIAN_FRONTEND=noninteractive
echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/00assume-yes
apt-get update
apt-get install --no-install-recommends systemd systemd-sysv dbus dbus-user-session \
    libpam-systemd sudo make git ca-certificates
[ ! -e /test/ccache ] || apt-get install --no-install-recommends ccache
useradd --uid "$ADMIN" --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
echo 'Defaults env_keep += "DEBIAN_FRONTEND"' >>/etc/sudoers.d/admin
systemctl mask systemd-networkd.service systemd-resolved.service getty.target
install -d -o admin /home/admin/doze
tar -xzf /test/doze.tar.gz --strip-components=1 -C /home/admin/doze
mkdir -p /home/admin/doze/build/deps
mv /test/download /home/admin/doze/build/deps/
chown -R admin: /home/admin/doze
END
    chroot "$1" env "ADMIN=$ADMIN" sh /test/prepare.sh >"$2" 2>&1 || {
        tail -n 20 "$2" >&2
        die "the tree could not be prepared; the output is in $2"
    }
}

# boot TREE LOG: leaves its systemd running, with the pid in $init and that of its parent in
# $keeper.
boot() {
    unshare --mount --pid --fork --uts --ipc --cgroup --kill-child \
        sh packaging/boot-tree.sh "$1" >>"$2" 2>&1 &
    keeper=$!
    for _ in $(seq 100); do # systemd answers as soon as it has its socket
        sleep 0.2
        init=$(cat "/proc/$keeper/task/$keeper/children" 2>/dev/null) && init=${init% }
        [ -n "$init" ] && inside test -S /run/dbus/system_bus_socket 2>/dev/null && return 0
    done
    die "systemd did not start in the tree; see $2"
}

inside() { nsenter --target "$init" --mount --pid -- "$@"; }

# run_block NAME NEEDS: as the user admin, in a session.
run_block() {
    [ "$2" = network ] && network=--property=NetworkNamespacePath=/test/network || network=
    # shellcheck disable=SC2086 # none or one
    inside systemd-run --quiet --pipe --wait --collect --uid=admin --property=PAMName=login \
        --working-directory=/home/admin/doze $network --setenv=DEBIAN_FRONTEND=noninteractive \
        --setenv=PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin ${ccache_env:-} \
        bash -e -o pipefail "/test/blocks/$1.sh" </dev/null
}

test_suite() {
    suite=$1
    log=$ROOT/build/operations-$suite.log
    tree=$(mktemp -d)
    keeper=
    trap 'tidy' EXIT
    say "$suite: preparing a tree"
    copy_tree "$suite" "$tree"
    cp "build/doze-$version.tar.gz" "$tree/test/doze.tar.gz"
    mkdir "$tree/test/download"
    cp "$DEPS"/download/*.tgz "$tree/test/download/"
    ccache_env=
    if [ -n "${CCACHE_DIR:-}" ]; then
        mkdir -p "$tree/test/ccache" "$CCACHE_DIR/trees"
        chown "$ADMIN" "$CCACHE_DIR/trees"
        ccache_env="--setenv=CCACHE_DIR=/test/ccache --setenv=CCACHE_BASEDIR=/home/admin
            --setenv=CCACHE_NOHASHDIR=1 --setenv=CMAKE_C_COMPILER_LAUNCHER=ccache
            --setenv=CMAKE_CXX_COMPILER_LAUNCHER=ccache --setenv=CCACHE_TEMPDIR=/tmp/ccache"
    fi
    mkdir "$tree/test/blocks"
    blocks "$tree/test/blocks"
    chmod 755 "$tree"
    prepare "$tree" "$log"
    boot "$tree" "$log"
    run=0
    skipped=
    for needs in "$tree"/test/blocks/*.needs; do
        name=$(basename "$needs" .needs)
        need=$(cat "$needs")
        first=$(head -n 1 "$tree/test/blocks/$name.sh")
        case $need in
        '' | network) ;;
        *)
            skipped="$skipped
$suite: not run, needs $need: $first"
            continue
            ;;
        esac
        say "$suite: $first"
        run_block "$name" "$need" >>"$log" 2>&1 || {
            tail -n 30 "$log" >&2
            die "this block of $DOCUMENT failed on $suite (the output is in ${log#"$ROOT"/}):
$(cat "$tree/test/blocks/$name.sh")"
        }
        run=$((run + 1))
    done
    [ "$run" -gt 0 ] || die "there is no block in $DOCUMENT"
    say "$suite: $run blocks of $DOCUMENT run as printed$skipped"
    tidy
}

# The namespaces end with their keeper, and their mounts with them.
tidy() {
    trap - EXIT
    if [ -n "$keeper" ]; then
        kill -KILL "$keeper" 2>/dev/null || true
        wait "$keeper" 2>/dev/null || true
        while [ -e "/proc/${init:-none}" ]; do sleep 0.1; done
    fi
    rm -rf --one-file-system "$tree"
}

version=$(sed -n 's/^project(doze VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
[ -e web/dist/index.html ] || die "run \`make\` first: the page is not built"
sh setup/dist.sh
[ $# -gt 0 ] || set -- bookworm trixie
for suite in "$@"; do test_suite "$suite"; done
