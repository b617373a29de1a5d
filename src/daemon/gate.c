/* SPDX-License-Identifier: MIT */
#include "daemon/gate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/api_key.h"
#include "supervisor/log_budget.h"

struct gate {
    const struct settings_store *settings;
    struct key_store *keys;
    struct log_budget budget; /* of lines about refused keys */
};

static const struct allowed_models all_models = { 0 };
static const struct bearer owner = { .permissions = 1u << PERMISSION_ADMIN,
                                     .allowed = &all_models };

struct gate *gate_new(const struct settings_store *settings, struct key_store *keys) {
    struct gate *gate = xcalloc(1, sizeof *gate);
    gate->settings = settings;
    gate->keys = keys;
    return gate;
}

void gate_free(struct gate *gate) {
    free(gate);
}

bool gate_needs_key(const struct gate *gate) {
    return settings_store_get(gate->settings)->api_key[0] || key_store_is_needed(gate->keys);
}

static struct bearer bearer_of(const struct key *key) {
    return (
        struct bearer){ .permissions = key->permissions, .allowed = &key->models, .key = key };
}

static void log_refusal(struct gate *gate, const char *peer, const char *why) {
    switch (log_budget_take(&gate->budget, clock_boottime())) {
    case LOG_LINE:
        log_warn("refused a client at %s: %s", peer, why);
        break;
    case LOG_LAST_LINE:
        log_warn("refused more clients without a valid API key; further lines are left out");
        break;
    case LOG_NO_LINE:
        break;
    }
}

bool gate_admit(struct gate *gate, const char *given, const char *peer,
                struct bearer *ret_bearer, struct error *err) {
    const char *single = settings_store_get(gate->settings)->api_key;
    *ret_bearer = owner;
    if (!gate_needs_key(gate)) return true;
    if (*single && given && api_key_is(single, given)) return true;
    const struct key *key = key_store_use(gate->keys, given ? given : "", err);
    if (key)
        *ret_bearer = bearer_of(key);
    else
        log_refusal(gate, peer, given ? "it sent a wrong API key" : "it sent no API key");
    return key != NULL;
}

struct bearer gate_admit_node(void) {
    return (struct bearer){ .permissions = 1u << PERMISSION_INFERENCE,
                            .allowed = &all_models,
                            .is_node = true };
}

void gate_refuse_node(struct gate *gate, const char *peer, const struct error *err) {
    log_refusal(gate, peer, err->text);
}

bool gate_recall(struct gate *gate, const char *id, struct bearer *ret_bearer,
                 struct error *err) {
    *ret_bearer = owner;
    if (!*id) return true;
    const struct key *key = key_store_by_id(gate->keys, id, err);
    if (key) *ret_bearer = bearer_of(key);
    return key != NULL;
}

bool gate_knows(const struct gate *gate, const char *given) {
    const char *single = settings_store_get(gate->settings)->api_key;
    return (*single && api_key_is(single, given)) || key_store_has(gate->keys, given);
}
