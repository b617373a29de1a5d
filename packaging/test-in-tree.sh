#!/bin/sh
# SPDX-License-Identifier: MIT
# test-in-tree.sh - what test.sh runs in the tree: /test/first.deb, /test/next.deb, /test/m.gguf.
set -eux
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
home=/var/lib/doze

# As the unit starts it.
start() {
    mkfifo /test/port
    env -i HOME=$home DOZE_STATE_DIR=$home/state DOZE_MODELS_DIR=$home/models PATH=/usr/bin \
        setpriv --reuid doze --regid doze --clear-groups sh -c \
        'exec doze serve --port 0 --ready-fd 3' 3>/test/port &
    pid=$!
    read -r DOZE_PORT </test/port
    export DOZE_PORT
    rm /test/port
}

stop() {
    kill "$pid"
    wait "$pid"
}

answer() { [ "$(doze run m 'Hello?')" = 'Hello there.' ]; }

apt-get update
apt-get install -y --no-install-recommends /test/first.deb
# systemd makes the folders of StateDirectory=.
install -d -o doze -g doze -m 750 $home $home/models $home/state
install -o doze -g doze -m 640 /test/m.gguf $home/models/m.gguf
start
doze server status --host 127.0.0.1 # the health check of the container
answer
doze settings set max_ttl 77
stop

apt-get install -y --no-install-recommends /test/next.deb
start
doze settings --json | grep -q '"max_ttl": *77'
answer
stop

apt-get remove -y doze
[ -e $home/state/settings.json ]
apt-get install -y --no-install-recommends /test/next.deb
apt-get purge -y doze
[ -e $home/models/m.gguf ]
[ ! -e $home/state ]
[ ! -e /usr/bin/doze ] && [ ! -e /usr/lib/doze ]
