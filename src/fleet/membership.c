/* SPDX-License-Identifier: MIT */
#include "fleet/membership.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/own_keys.h"

static const char prefix[] = "/doze/";
enum { PREFIX = sizeof prefix - 1, URL_SIZE = 512 };

struct lane {
    bool busy;
    enum etcd_call call;
    msec started;
    int64_t lease; /* when it was sent */
    unsigned failures;
    msec retry; /* not before */
};

struct membership {
    char node_key[FLEET_NODE_SIZE + 8]; /* "nodes/<node>" */
    uint64_t seed;
    struct lane lanes[ETCD_LANES];
    int64_t lease;    /* 0: none */
    msec keepalive;   /* when the next one is due */
    msec valid_until; /* of the table; 0: it has this node only */
    bool reached, joined, said_alone;
    msec since;
    unsigned news;
    uint64_t turns; /* changes of what membership_status says */
    char why[sizeof((struct error *)0)->text];

    struct own_keys own;
    char path[ETCD_KEY_MAX + 1]; /* of the write under way */
    uint64_t version;            /* ... and what it writes */
    bool claimed;                /* the node's key is ours */
    bool takes_over;             /* it was left by this daemon's last run */
    msec claim;                  /* when to look at it again */
    char rival[URL_SIZE];

    struct fleet_table table;
    bool synced;       /* it is read, and changes follow from the watch */
    bool watch_wanted; /* it is read, the watch has not begun */
    bool watching;
    uint64_t cluster; /* where the table comes from */
    int64_t revision; /* of the table */
    int64_t newest;   /* of the store, as answers about the lease say */
    msec behind;      /* since when that is more; 0: it is not */
};

struct membership *membership_new(const char *node, uint64_t seed, msec now) {
    struct membership *m = xcalloc(1, sizeof *m);
    (void)snprintf(m->node_key, sizeof m->node_key, "nodes/%s", node);
    m->seed = seed | 1;
    m->since = now;
    return m;
}

void membership_free(struct membership *m) {
    if (!m) return;
    own_keys_clear(&m->own);
    fleet_table_clear(&m->table);
    free(m);
}

static const char *node_of(const struct membership *m) {
    return m->node_key + sizeof "nodes/" - 1;
}

void membership_set(struct membership *m, const char *key, const char *value) {
    if (own_keys_set(&m->own, key, value)) fleet_table_put(&m->table, key, value);
}

unsigned membership_take_news(struct membership *m) {
    unsigned news = m->news;
    m->news = 0;
    return news;
}

const struct fleet_table *membership_table(const struct membership *m) {
    return &m->table;
}

uint64_t membership_changes(const struct membership *m) {
    return m->table.changes + m->turns;
}

struct membership_status membership_status(const struct membership *m) {
    return (struct membership_status){ .reached = m->reached,
                                       .since = m->since,
                                       .valid_until = m->valid_until,
                                       .why = m->why,
                                       .rival = m->rival,
                                       .lease = m->lease };
}

/* ---- what holds for a while ---- */

static void forget_others(struct membership *m) {
    for (size_t i = m->table.count; i-- > 0;) {
        const char *key = m->table.list[i].key;
        if (strcmp(fleet_key_node(key), node_of(m)) != 0) fleet_table_put(&m->table, key, NULL);
    }
}

static void lose_lease(struct membership *m) {
    m->lease = 0;
    m->claimed = m->takes_over = false;
    m->claim = 0;
    own_keys_forget(&m->own);
}

static void say_alone(struct membership *m) {
    if (m->said_alone) return;
    m->said_alone = true;
    m->news |= MEMBERSHIP_ALONE;
}

static void tick(struct membership *m, msec now) {
    if (m->valid_until && now >= m->valid_until) {
        m->valid_until = 0;
        m->turns++;
        m->joined = m->synced = m->watching = false;
        lose_lease(m);
        forget_others(m);
        say_alone(m);
    }
    if (m->behind && now >= m->behind + MEMBERSHIP_BEHIND) {
        m->behind = 0;
        m->synced = false;
    }
}

static void set_reached(struct membership *m, bool reached, msec now) {
    if (m->reached == reached) return;
    m->reached = reached;
    m->since = now;
    m->turns++;
}

/* Between half of the span and all of it, so that the nodes do not come all at once. */
static msec spread(struct membership *m, msec span) {
    m->seed ^= m->seed << 13;
    m->seed ^= m->seed >> 7;
    m->seed ^= m->seed << 17;
    return span / 2 + (msec)(m->seed % (uint64_t)(span / 2 + 1));
}

static void lane_put_off(struct membership *m, enum etcd_lane name, msec now) {
    struct lane *lane = &m->lanes[name];
    unsigned doublings = lane->failures < 6 ? lane->failures : 6;
    msec span = (msec)MEMBERSHIP_DELAY_MIN << doublings;
    lane->failures++;
    lane->retry = now +
                  spread(m, span < MEMBERSHIP_DELAY_MAX ? span : (msec)MEMBERSHIP_DELAY_MAX);
}

static void lane_recover(struct lane *lane) {
    lane->failures = 0;
    lane->retry = 0;
}

/* ---- what is due ---- */

static msec later(msec a, msec b) {
    return a > b ? a : b;
}

static msec sooner(msec a, msec b) {
    return a < b ? a : b;
}

static msec write_due(const struct membership *m) {
    const struct own_key *own = own_keys_first(&m->own, m->lease);
    const struct own_key *node = own_keys_find(&m->own, m->node_key);
    if (m->lease == 0 || !own || !node) return MSEC_NEVER;
    return later(m->claimed ? own->next : m->claim, m->lanes[ETCD_WRITES].retry);
}

static msec lane_due(const struct membership *m, enum etcd_lane name) {
    const struct lane *lane = &m->lanes[name];
    if (lane->busy && name != ETCD_WATCHES) return MSEC_NEVER; /* a watch replaces another */
    switch (name) {
    case ETCD_LEASES:
        return later(m->lease ? m->keepalive : 0, lane->retry);
    case ETCD_WRITES:
        return write_due(m);
    case ETCD_READS: /* after a watch that failed, too */
        if (!m->lease || m->synced) return MSEC_NEVER;
        return later(lane->retry, m->lanes[ETCD_WATCHES].retry);
    case ETCD_WATCHES:
        return m->synced && m->watch_wanted ? 0 : MSEC_NEVER;
    }
    return MSEC_NEVER;
}

msec membership_deadline(const struct membership *m) {
    msec due = m->valid_until ? m->valid_until : MSEC_NEVER;
    if (m->behind) due = sooner(due, m->behind + MEMBERSHIP_BEHIND);
    for (int i = 0; i < ETCD_LANES; i++) due = sooner(due, lane_due(m, (enum etcd_lane)i));
    return due;
}

/* ---- calls ---- */

static void ask_lease(struct membership *m, struct etcd_request *ret) {
    *ret = (struct etcd_request){ .call = m->lease ? ETCD_KEEPALIVE : ETCD_GRANT,
                                  .lease = m->lease,
                                  .ttl = MEMBERSHIP_LEASE / 1000 };
}

/* The node's own key before all others: until it is ours, another daemon may have the name. */
static void ask_write(struct membership *m, struct etcd_request *ret, msec now) {
    struct own_key *own = m->claimed ? own_keys_first(&m->own, m->lease)
                                     : own_keys_find(&m->own, m->node_key);
    bool seldom = strcmp(own->key, m->node_key) == 0 || strncmp(own->key, "prefixes/", 9) == 0;
    (void)snprintf(m->path, sizeof m->path, "%s%s", prefix, own->key);
    m->version = own->sent = own->version;
    own->next = now + (seldom ? MEMBERSHIP_NODE_STEP : MEMBERSHIP_OTHER_STEP);
    *ret = (struct etcd_request){
        .call = ETCD_PUT, .lease = m->lease, .key = m->path, .value = own->value
    };
    if (!own->value) ret->call = ETCD_REMOVE;
    if (!m->claimed && !m->takes_over) ret->call = ETCD_CREATE;
}

static void ask_watch(struct membership *m, struct etcd_request *ret) {
    m->watch_wanted = false;
    m->watching = true;
    *ret =
        (struct etcd_request){ .call = ETCD_WATCH, .key = prefix, .revision = m->revision + 1 };
}

static void ask(struct membership *m, enum etcd_lane name, struct etcd_request *ret, msec now) {
    switch (name) {
    case ETCD_LEASES:
        ask_lease(m, ret);
        break;
    case ETCD_WRITES:
        ask_write(m, ret, now);
        break;
    case ETCD_READS:
        *ret = (struct etcd_request){ .call = ETCD_RANGE, .key = prefix };
        break;
    case ETCD_WATCHES:
        ask_watch(m, ret);
        break;
    }
    struct lane *lane = &m->lanes[name];
    lane->busy = true;
    lane->call = ret->call;
    lane->started = now;
    lane->lease = m->lease;
}

bool membership_next(struct membership *m, msec now, enum etcd_lane *ret_lane,
                     struct etcd_request *ret) {
    tick(m, now);
    for (int i = 0; i < ETCD_LANES; i++) {
        *ret_lane = (enum etcd_lane)i;
        if (lane_due(m, *ret_lane) > now) continue;
        ask(m, *ret_lane, ret, now);
        return true;
    }
    return false;
}

/* ---- answers ---- */

/* Another store answers, or this one has lost what it had: a watch would wait in silence. */
static void compare_store(struct membership *m, const struct etcd_answer *answer, msec now) {
    if (answer->cluster != m->cluster || answer->revision < m->revision) m->synced = false;
    m->newest = answer->revision;
    if (m->newest > m->revision && !m->behind) m->behind = now;
}

static void set_revision(struct membership *m, int64_t revision) {
    m->revision = revision;
    if (m->revision >= m->newest) m->behind = 0;
}

static void on_lease(struct membership *m, const struct lane *lane,
                     const struct etcd_answer *answer, msec now) {
    if (!m->reached) { /* the other lanes need not wait any longer */
        for (int i = 0; i < ETCD_LANES; i++) lane_recover(&m->lanes[i]);
    }
    set_reached(m, true, now);
    m->why[0] = '\0';
    if (lane->lease != m->lease) return;
    if (answer->ttl <= 0) { /* of a keepalive: the lease is gone */
        lose_lease(m);
        return;
    }
    if (lane->call == ETCD_GRANT) m->lease = answer->lease;
    m->keepalive = lane->started + MEMBERSHIP_KEEPALIVE;
    m->valid_until = lane->started + MEMBERSHIP_LEASE;
    compare_store(m, answer, now);
}

/* Of an object in JSON; "" if it has none. */
static void read_url(const char *json, char ret[URL_SIZE]) {
    struct error ignored;
    yyjson_doc *doc = json_parse_object(json, strlen(json), &ignored);
    const char *url = json_find_str(yyjson_doc_get_root(doc), "url");
    (void)snprintf(ret, URL_SIZE, "%s", url ? url : "");
    yyjson_doc_free(doc);
}

static void set_rival(struct membership *m, const char *url) {
    if (strcmp(m->rival, url) == 0) return;
    (void)snprintf(m->rival, sizeof m->rival, "%s", url);
    m->turns++;
}

/* The node's name is taken. A daemon that was started again finds the key of its last run. */
static void on_taken(struct membership *m, const struct etcd_answer *answer, msec now) {
    char own[URL_SIZE], other[URL_SIZE] = "";
    read_url(own_keys_find(&m->own, m->node_key)->value, own);
    if (answer->count > 0) read_url(answer->pairs[0].value, other);
    m->takes_over = strcmp(own, other) == 0 || !other[0];
    m->claim = m->takes_over ? 0 : now + MEMBERSHIP_NAME_STEP;
    if (m->takes_over) return;
    if (!m->rival[0]) m->news |= MEMBERSHIP_NAME_TAKEN;
    set_rival(m, other);
}

static void on_written(struct membership *m, const struct lane *lane,
                       const struct etcd_answer *answer, msec now) {
    if (lane->lease != m->lease) return;
    if (lane->call == ETCD_CREATE && !answer->created) {
        on_taken(m, answer, now);
        return;
    }
    m->claimed = true;
    m->takes_over = false;
    set_rival(m, "");
    own_keys_written(&m->own, m->path + PREFIX, m->version, lane->lease);
}

/* This node's entries are what it says itself. One that somebody else has removed is written
 * again. */
static void take_pair(struct membership *m, const struct etcd_pair *pair) {
    if (strncmp(pair->key, prefix, PREFIX) != 0) return;
    const char *key = pair->key + PREFIX;
    if (strcmp(fleet_key_node(key), node_of(m)) != 0) {
        fleet_table_put(&m->table, key, pair->value);
        return;
    }
    struct own_key *own = own_keys_find(&m->own, key);
    if (own && own->value && !pair->value) own->written = 0;
}

/* A key of this node that it does not have was left by its last run, and others believe it
 * until that lease ends. It goes when the name is this node's. */
static void withdraw_left(struct membership *m, const struct etcd_pair *pair) {
    if (strncmp(pair->key, prefix, PREFIX) != 0) return;
    const char *key = pair->key + PREFIX;
    if (strcmp(fleet_key_node(key), node_of(m)) == 0) own_keys_withdraw(&m->own, key);
}

static void on_range(struct membership *m, const struct lane *lane,
                     const struct etcd_answer *answer) {
    if (lane->lease != m->lease) return;
    forget_others(m);
    for (size_t i = 0; i < answer->count; i++) {
        take_pair(m, &answer->pairs[i]);
        withdraw_left(m, &answer->pairs[i]);
    }
    m->cluster = answer->cluster;
    set_revision(m, answer->revision);
    m->synced = m->watch_wanted = true;
    m->watching = false; /* what an older watch says is known */
    if (m->joined) return;
    m->joined = true;
    m->said_alone = false;
    m->news = (m->news & ~(unsigned)MEMBERSHIP_ALONE) | MEMBERSHIP_JOINED;
}

static void on_watch(struct membership *m, const struct etcd_answer *answer, msec now) {
    if (!m->watching) return;
    if (answer->canceled) {
        m->watching = m->synced = false;
        lane_put_off(m, ETCD_WATCHES, now);
        return;
    }
    lane_recover(&m->lanes[ETCD_WATCHES]);
    for (size_t i = 0; i < answer->count; i++) take_pair(m, &answer->pairs[i]);
    if (answer->revision > m->revision) set_revision(m, answer->revision);
}

void membership_answer(struct membership *m, enum etcd_lane name,
                       const struct etcd_answer *answer, msec now) {
    struct lane *lane = &m->lanes[name];
    tick(m, now);
    if (name != ETCD_WATCHES) {
        lane->busy = false;
        lane_recover(lane);
    }
    switch (name) {
    case ETCD_LEASES:
        on_lease(m, lane, answer, now);
        break;
    case ETCD_WRITES:
        on_written(m, lane, answer, now);
        break;
    case ETCD_READS:
        on_range(m, lane, answer);
        break;
    case ETCD_WATCHES:
        on_watch(m, answer, now);
        break;
    }
}

/* ---- failures ---- */

/* What etcd refuses is not sent again before it changes, except that the lease was gone. */
static void on_write_failed(struct membership *m, const struct error *err, msec now) {
    const struct lane *lane = &m->lanes[ETCD_WRITES];
    if (err->code == ERR_NOT_FOUND) {
        if (lane->lease == m->lease) lose_lease(m);
        return;
    }
    lane_put_off(m, ETCD_WRITES, now);
    if (err->code == ERR_INVALID_REQUEST && m->claimed)
        own_keys_written(&m->own, m->path + PREFIX, m->version, lane->lease);
}

static void on_lease_failed(struct membership *m, msec now) {
    lane_put_off(m, ETCD_LEASES, now);
    set_reached(m, false, now);
    m->synced = false; /* changes may have been missed */
    if (!m->valid_until) say_alone(m);
}

void membership_failure(struct membership *m, enum etcd_lane name, const struct error *err,
                        msec now) {
    tick(m, now);
    m->lanes[name].busy = false;
    (void)snprintf(m->why, sizeof m->why, "%s", err->text);
    switch (name) {
    case ETCD_LEASES:
        on_lease_failed(m, now);
        break;
    case ETCD_WRITES:
        on_write_failed(m, err, now);
        break;
    case ETCD_READS:
        lane_put_off(m, name, now);
        break;
    case ETCD_WATCHES:
        lane_put_off(m, name, now);
        m->watching = m->synced = false;
        break;
    }
}
