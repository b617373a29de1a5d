/* SPDX-License-Identifier: MIT */
/*
 * fleet_node.h - this daemon as a node of the fleet: says what it has, and knows the others.
 *
 * Does nothing unless the setting fleet names an etcd. Loop's thread only.
 */
#ifndef DOZE_DAEMON_FLEET_NODE_H
#define DOZE_DAEMON_FLEET_NODE_H

#include <uv.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "daemon/fleet_counts.h"
#include "fleet/claims.h"
#include "fleet/held_prompts.h"

struct catalog;
struct held_store;
struct listeners;
struct settings_store;
struct supervisor;
struct tls_files;
struct worker_program;

struct fleet_node;
struct fleet_question;
struct fleet_table;
struct forwarder;
struct prefix_marks;

/* Headers of requests between nodes, and of what answers a client. */
#define FLEET_PASS_HEADER "X-Doze-Pass"
#define FLEET_HOP_HEADER "X-Doze-Hop"
#define FLEET_CLIENT_HEADER "X-Doze-Client"
#define FLEET_OWNER_HEADER "X-Doze-Owner" /* the id of the client's API key */
#define FLEET_NODE_HEADER "X-Doze-Node"
#define FLEET_FILES_PATH "/api/v1/fleet/files" /* of a node: files by their SHA-256 */
#define FLEET_LOADER_HEADER "X-Doze-Loader"    /* of a refusal: the node that loads the model */

/* What it points to is borrowed for the node's life. */
struct fleet_node_config {
    uv_loop_t *loop;
    const struct settings_store *settings;
    struct supervisor *supervisor;
    struct catalog *const *catalog;
    const struct worker_program *program;
    const struct listeners *listeners;
    const struct tls_files *tls;
    const char *models_dir; /* where files that it fetches go */
    struct held_store *held_store;
    uint64_t boot; /* identifies this run */
    /* What fleet_node_describe says may have changed. */
    void (*on_change)(void *ctx);
    void *ctx;
};

/* Never NULL, with a fleet or without; joins it at once. Copies the config. */
struct fleet_node *fleet_node_new(const struct fleet_node_config *config);

/* The settings, the catalog, or instances and requests may be others now. Accept NULL. */
void fleet_node_settings_changed(struct fleet_node *node);
void fleet_node_catalog_changed(struct fleet_node *node);
void fleet_node_touch(struct fleet_node *node);

/* Is this daemon a node of a fleet? */
bool fleet_node_is_on(const struct fleet_node *node);
const char *fleet_node_name(const struct fleet_node *node);
const char *fleet_node_key(const struct fleet_node *node); /* "": none */
/* While it is: what the nodes have published. Valid until the loop goes on. */
const struct fleet_table *fleet_node_table(const struct fleet_node *node);
/* Does it know the other nodes, or only itself until etcd answers? */
bool fleet_node_knows_others(const struct fleet_node *node);
/* Is that node in the list? True for all until others are known; false where there is no
 * fleet. */
bool fleet_node_has(const struct fleet_node *node, const char *name);
/* Has etcd answered the last call about its lease? */
bool fleet_node_reaches_etcd(const struct fleet_node *node);
/* Fill in what is the same for all requests of this node. */
void fleet_node_ask(const struct fleet_node *node, struct fleet_question *ret);

/* Remember that a request goes to that node, which may be this one: until it publishes what it
 * has to do, that counts as waiting there. */
void fleet_node_note(struct fleet_node *node, const char *to);
/* For the metrics; see fleet_counts.h. */
void fleet_node_tally(struct fleet_node *node, enum fleet_event event, const char *peer);
/* An answer of another node begins (1) or ends (-1); does any go on? */
void fleet_node_count_relay(struct fleet_node *node, int change);
bool fleet_node_is_relaying(const struct fleet_node *node);

/* Write into the first digits of an id in hex that this node made it, if it is on; and which
 * other node of the list made one, NULL: none. Valid until the loop goes on. */
void fleet_node_mark(const struct fleet_node *node, char *id);
const char *fleet_node_of_mark(const struct fleet_node *node, const char *id);

/* What hashes of prompts begin with (prefix_text.h); NULL: there is no fleet. Borrowed until
 * the settings change. */
const char *fleet_node_secret(const struct fleet_node *node);
/* By what a prompt for the model (its key) is known; it has marks. */
struct held_prompt fleet_node_prompt(const char *model, const struct prefix_marks *marks);
/* This node has processed it: what follows is expected here. Nothing if it has no hash. */
void fleet_node_hold(struct fleet_node *node, struct held_prompt prompt);
/* It no longer has any of the model (NULL: of any model). Accepts NULL as node. */
void fleet_node_forget_prompts(struct fleet_node *node, const char *model);

/* Claim the cold load of a model (fleet/claims.h). NULL, and no sink is called: there is no
 * fleet, or etcd does not answer. */
struct claim *fleet_node_claim(struct fleet_node *node, const char *model,
                               struct claim_sink sink);

/* The path of the file with that SHA-256, if another node may have it; NULL. The caller frees
 * it. */
char *fleet_node_file(const struct fleet_node *node, const char *sha256);

/* For requests to other nodes; made when it is first needed. NULL with ERR_IO if libcurl is
 * missing. */
struct forwarder *fleet_node_forwarder(struct fleet_node *node, struct error *err);
/* The pass for a request to that node; NULL: there is no fleet key. The caller frees it. */
char *fleet_node_make_pass(const struct fleet_node *node, const char *to, const char *method,
                           const char *path);
/* May the sender of this pass have that? Fails with ERR_API_KEY. */
bool fleet_node_check_pass(const struct fleet_node *node, const char *pass, const char *method,
                           const char *path, struct error *err)
    __attribute__((warn_unused_result));

/* Append {"on","node","nodes","reached"}: is there a fleet, as which node, of how many, and
 * does etcd answer? */
void fleet_node_format_state(const struct fleet_node *node, struct buf *out);
/* Add what GET /api/v1/fleet answers. */
void fleet_node_describe(struct fleet_node *node, yyjson_mut_doc *doc, yyjson_mut_val *root);
/* Append what GET /metrics says of the fleet: nothing where there is none. */
void fleet_node_format_metrics(const struct fleet_node *node, struct buf *out);

/* The daemon stops: leave the fleet at once, before the last answers are sent. Accepts NULL. */
void fleet_node_leave(struct fleet_node *node);
/* Before the supervisor is freed. The loop waits for the handles. Accepts NULL. */
void fleet_node_close(struct fleet_node *node);

#endif
