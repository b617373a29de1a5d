#!/bin/sh
# SPDX-License-Identifier: MIT
# boot-tree.sh TREE - what test-operations.sh runs in namespaces of its own (mount, pid, uts, ipc,
# cgroup): the tree's own systemd, as its process 1, with a loopback of its own. Its
# /test/network is the network that this script was started in.
set -eu
tree=$1
mount --make-rprivate /
mount --bind "$tree" "$tree"
touch "$tree/test/network"
mount --bind /proc/self/ns/net "$tree/test/network"
[ ! -e "$tree/test/ccache" ] || mount --bind "$CCACHE_DIR/trees" "$tree/test/ccache"
mount -t proc proc "$tree/proc"
mount -t sysfs -o ro sysfs "$tree/sys"
mount -t cgroup2 cgroup2 "$tree/sys/fs/cgroup"
mount -t tmpfs tmpfs "$tree/run"
mount -t tmpfs tmpfs "$tree/dev"
for device in null zero full random urandom tty; do
    touch "$tree/dev/$device"
    mount --bind "/dev/$device" "$tree/dev/$device"
done
mkdir "$tree/dev/pts" "$tree/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$tree/dev/pts"
ln -s pts/ptmx "$tree/dev/ptmx"
mount -t tmpfs tmpfs "$tree/dev/shm"
cd "$tree"
pivot_root . mnt
umount -l /mnt
exec unshare --net env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=multi-user.target
