/* SPDX-License-Identifier: MIT */
/* relay_message.h - a client's request as it goes to another node. For relay.c. */
#ifndef DOZE_DAEMON_RELAY_MESSAGE_H
#define DOZE_DAEMON_RELAY_MESSAGE_H

#include "daemon/relay_choice.h"
#include "fleet/forward.h"

struct relay_message {
    struct forward_request request; /* of what follows */
    struct forward_field fields[16];
    char client[17];
    char *url, *pass;
};

/* Borrows from the exchange and from owner (FLEET_OWNER_HEADER; NULL). */
void relay_message_make(struct relay_message *ret, const struct fleet_node *node,
                        const struct relay_request *q, const char *owner,
                        const struct relay_next *next);
void relay_message_clear(struct relay_message *message);

#endif
