/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_counts.h"

#include <stdio.h>
#include <string.h>

/* Of a node that is not counted by itself: the last one. */
static struct fleet_peer_counts *find_peer(struct fleet_counts *counts, const char *name) {
    size_t i = 0;
    while (i < counts->peer_count && strcmp(counts->peers[i].node, name) != 0) i++;
    if (i == counts->peer_count && i < FLEET_COUNTED) {
        (void)snprintf(counts->peers[i].node, sizeof counts->peers[i].node, "%s", name);
        counts->peer_count++;
    }
    return &counts->peers[i];
}

void fleet_counts_add(struct fleet_counts *counts, enum fleet_event event, const char *peer) {
    counts->events[event]++;
    if ((int)event < FLEET_PEER_EVENTS) find_peer(counts, peer)->events[event]++;
}

static void head(struct buf *out, const char *name, const char *type, const char *help) {
    (void)buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void format_peers(const struct fleet_counts *counts, enum fleet_event event,
                         const char *name, const char *help, struct buf *out) {
    bool full = counts->peer_count == FLEET_COUNTED;
    head(out, name, "counter", help);
    for (size_t i = 0; i < counts->peer_count + full; i++)
        (void)buf_addf(out, "%s{node=\"%s\"} %llu\n", name,
                       i < FLEET_COUNTED ? counts->peers[i].node : "",
                       (unsigned long long)counts->peers[i].events[event]);
}

void fleet_counts_format(const struct fleet_counts *counts, size_t nodes, bool reached,
                         struct buf *out) {
    head(out, "doze_fleet_nodes", "gauge", "Nodes of the fleet that this one knows.");
    (void)buf_addf(out, "doze_fleet_nodes %zu\n", nodes);
    head(out, "doze_fleet_etcd_up", "gauge", "Whether etcd answered the last call.");
    (void)buf_addf(out, "doze_fleet_etcd_up %d\n", reached);
    format_peers(counts, FLEET_FORWARDED, "doze_fleet_forwarded_total",
                 "Requests that were sent to another node.", out);
    format_peers(counts, FLEET_RETRIED, "doze_fleet_retries_total",
                 "Requests that it did not answer or refused, so that another was looked for.",
                 out);
    format_peers(counts, FLEET_LOST, "doze_fleet_lost_total",
                 "Requests whose answer broke off as it was lost.", out);
    head(out, "doze_fleet_received_total", "counter", "Requests that other nodes sent here.");
    (void)buf_addf(out, "doze_fleet_received_total %llu\n",
                   (unsigned long long)counts->events[FLEET_RECEIVED]);
    head(out, "doze_fleet_claims_total", "counter",
         "Cold loads that this node wanted to begin, by who may.");
    (void)buf_addf(out,
                   "doze_fleet_claims_total{result=\"won\"} %llu\n"
                   "doze_fleet_claims_total{result=\"lost\"} %llu\n",
                   (unsigned long long)counts->events[FLEET_CLAIM_WON],
                   (unsigned long long)counts->events[FLEET_CLAIM_LOST]);
}
