/* SPDX-License-Identifier: MIT */
/*
 * gate.h - who a client is, by the API key that it sends, and what it may do. Refused keys are
 * logged with the client's address, a limited number of lines.
 */
#ifndef DOZE_DAEMON_GATE_H
#define DOZE_DAEMON_GATE_H

#include "daemon/key_store.h"
#include "daemon/settings_store.h"

struct gate;

/* Borrows both for its life. */
struct gate *gate_new(const struct settings_store *settings, struct key_store *keys);
/* Accepts NULL. */
void gate_free(struct gate *gate);

/* Does the server need a key of anybody? */
bool gate_needs_key(const struct gate *gate);

/* An authenticated client; valid until control returns to the loop. */
struct bearer {
    unsigned permissions;                 /* a set, permission.h */
    const struct allowed_models *allowed; /* never NULL */
    const struct key *key; /* NULL: it has the key of the setting api_key, or needs none */
    bool is_node;          /* of the fleet, on behalf of a client that it has admitted */
};

/* The bearer of the key that a client has sent (NULL: none). peer: the client's address. Fails
 * with ERR_API_KEY. */
bool gate_admit(struct gate *gate, const char *given, const char *peer,
                struct bearer *ret_bearer, struct error *err)
    __attribute__((warn_unused_result));
/* The bearer for a node that has proved to be of the fleet; and the log line about one that
 * has not. */
struct bearer gate_admit_node(void);
void gate_refuse_node(struct gate *gate, const char *peer, const struct error *err);
/* Is it a key in force? Logs nothing and does not count as a use. False if none is needed. */
bool gate_knows(const struct gate *gate, const char *given);
/* The bearer of the key with this id, who was authenticated earlier; "": not by such a key. */
bool gate_recall(struct gate *gate, const char *id, struct bearer *ret_bearer,
                 struct error *err) __attribute__((warn_unused_result));

#endif
