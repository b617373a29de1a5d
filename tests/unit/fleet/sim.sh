#!/bin/sh
# SPDX-License-Identifier: MIT
# sim.sh FLEET-SIM - what the figures of docs/benchmarks/fleet.md rest on: a seed decides
# everything, another seed is another run, no model is loaded twice at a time, and placement fails
# fewer requests and loads less than the other policies.
set -eu
sim=$1

run() { "$sim" 10 "$1" "$2" 900 60 10; }
figure() { run "$1" 1 | sed -n "s/^$2	//p"; }
fail() { echo "sim.sh: $*" >&2; exit 1; }

[ "$(run doze 1)" = "$(run doze 1)" ] || fail "two runs with one seed differ"
[ "$(run doze 1)" != "$(run doze 2)" ] || fail "two seeds make the same run"
[ "$(figure doze loads_beside)" = 0 ] || fail "two loads of a model at a time"
for other in random least-loaded; do
    [ "$(figure doze failed)" -le "$(figure $other failed)" ] || fail "fails more than $other"
    [ "$(figure doze loads)" -lt "$(figure $other loads)" ] || fail "loads more than $other"
done
"$sim" 10 nonsense 1 900 60 10 2>/dev/null && fail "a policy that does not exist"
exit 0
