#!/bin/sh
# SPDX-License-Identifier: MIT
# etcd.sh - the etcd that the tests of the fleet start: Debian 12's, unpacked below build/deps/etcd
# and not installed; see debian-mirror.sh. Safe to run again.
# shellcheck source=setup/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=setup/debian-mirror.sh
. "$(dirname "$0")/debian-mirror.sh"

SUITE=bookworm
VERSION=3.4.23
etcd=$DEPS/etcd/usr/bin/etcd

has_version() { "$etcd" --version 2>/dev/null | grep -q "^etcd Version: $VERSION\$"; }

has_version && exit 0
if ! command -v apt-get >/dev/null || [ ! -e "$KEYRING" ]; then
    say "no apt or no Debian keyring here: put etcd $VERSION at $etcd to test the fleet"
    exit 0
fi
say "fetching etcd $VERSION ($SUITE package) from this machine's Debian mirror"
unpack_packages "$DEPS/etcd" $SUITE etcd-server
has_version || die "$SUITE has another etcd than $VERSION"
