/* SPDX-License-Identifier: MIT */
/*
 * message.h - a message put together from typed lines. Pure.
 *
 * A line that ends with "\" goes on in the next one. Lines between """ and """ are one message.
 */
#ifndef DOZE_CLI_MESSAGE_H
#define DOZE_CLI_MESSAGE_H

#include <stdbool.h>

#include "base/buf.h"

struct message {
    struct buf text;
    bool open;   /* more lines belong to it */
    bool quoted; /* begun with """ and not ended */
};

/* Add a line without its newline. */
void message_add(struct message *m, const char *line, size_t len);

/* Begin another message. */
void message_reset(struct message *m);

#endif
