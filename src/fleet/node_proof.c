/* SPDX-License-Identifier: MIT */
#include "fleet/node_proof.h"

#include <inttypes.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>

/* Each text with its NUL, so that no two lists of texts are the same bytes. */
static void add_text(struct hmac_sha256_ctx *hmac, const char *text) {
    hmac_sha256_update(hmac, strlen(text) + 1, (const uint8_t *)text);
}

static void finish(struct hmac_sha256_ctx *hmac, char ret[NODE_PROOF_SIZE]) {
    uint8_t digest[SHA256_DIGEST_SIZE];
    hmac_sha256_digest(hmac, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static void begin(struct hmac_sha256_ctx *hmac, const char *fleet_key, const char *what) {
    hmac_sha256_set_key(hmac, strlen(fleet_key), (const uint8_t *)fleet_key);
    add_text(hmac, what);
}

static bool is_same(const char *proof, const char *given) {
    return strlen(given) == NODE_PROOF_SIZE - 1 &&
           memeql_sec(proof, given, NODE_PROOF_SIZE - 1);
}

void node_proof_of_entry(const char *fleet_key, const char *name, const char *url,
                         char ret[NODE_PROOF_SIZE]) {
    struct hmac_sha256_ctx hmac;
    begin(&hmac, fleet_key, "doze node");
    add_text(&hmac, name);
    add_text(&hmac, url);
    finish(&hmac, ret);
}

bool node_proof_fits(const char *fleet_key, const char *name, const char *url,
                     const char *proof) {
    char own[NODE_PROOF_SIZE];
    node_proof_of_entry(fleet_key, name, url, own);
    return is_same(own, proof);
}

static void proof_of_pass(const char *fleet_key, const struct node_pass *pass,
                          char ret[NODE_PROOF_SIZE]) {
    struct hmac_sha256_ctx hmac;
    char at[24];
    (void)snprintf(at, sizeof at, "%" PRId64, pass->at);
    begin(&hmac, fleet_key, "doze request");
    add_text(&hmac, pass->from);
    add_text(&hmac, pass->to);
    add_text(&hmac, pass->method);
    add_text(&hmac, pass->path);
    add_text(&hmac, at);
    finish(&hmac, ret);
}

void node_pass_format(const char *fleet_key, const struct node_pass *pass,
                      char ret[NODE_PASS_SIZE]) {
    char proof[NODE_PROOF_SIZE];
    proof_of_pass(fleet_key, pass, proof);
    (void)snprintf(ret, NODE_PASS_SIZE, "%s %" PRId64 " %s", pass->from, pass->at, proof);
}

/* "<from> <at> <proof>"; false if it is anything else. */
static bool read_pass(const char *value, char from[FLEET_NODE_SIZE], msec *ret_at,
                      char proof[NODE_PROOF_SIZE]) {
    int end = 0;
    if (sscanf(value, "%63[^ ] %16" SCNd64 " %64[0-9a-f]%n", from, ret_at, proof, &end) != 3)
        return false;
    return value[end] == '\0' && fleet_node_is_name(from);
}

bool node_pass_check(const char *fleet_key, const char *value, const struct node_pass *asked,
                     struct error *err) {
    char from[FLEET_NODE_SIZE], proof[NODE_PROOF_SIZE], own[NODE_PROOF_SIZE];
    struct node_pass pass = *asked;
    pass.from = from;
    if (!read_pass(value, from, &pass.at, proof))
        return error_set(err, ERR_API_KEY,
                         "The header X-Doze-Pass is not one that a node sends; leave it out.");
    proof_of_pass(fleet_key, &pass, own);
    if (!*fleet_key || !is_same(own, proof))
        return error_set(
            err, ERR_API_KEY,
            "The node '%s' does not have the fleet key of '%s'; set the same fleet.key on "
            "all nodes.",
            from, asked->to);
    if (pass.at < asked->at - NODE_PASS_SPAN || pass.at > asked->at + NODE_PASS_SPAN)
        return error_set(err, ERR_API_KEY,
                         "The clocks of the nodes '%s' and '%s' differ by more than five "
                         "minutes; set them.",
                         from, asked->to);
    return true;
}
