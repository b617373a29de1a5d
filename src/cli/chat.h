/* SPDX-License-Identifier: MIT */
/* chat.h - a conversation with a model: its messages so far and the next question. */
#ifndef DOZE_CLI_CHAT_H
#define DOZE_CLI_CHAT_H

#include <stdbool.h>

#include "cli/client.h"

struct chat;

struct chat_options {
    const char *model;  /* NULL: the only loaded one */
    const char *system; /* NULL: no system message */
    struct option_ttl ttl;
    bool stats; /* print figures after each answer */
};

/* Borrows cli and the strings of the options until chat_free. */
struct chat *chat_new(const struct cli *cli, const struct chat_options *options);
void chat_free(struct chat *chat);

/* Ask, and show the answer on stdout as it arrives. The conversation keeps question and answer;
 * of a cancelled answer, the part that arrived; after a failure, neither. Fails if the text is
 * not UTF-8. cancel_fd: as in struct call. */
enum outcome chat_ask(struct chat *chat, const char *text, size_t len, int cancel_fd,
                      struct error *err);

/* Start over: drop all messages but the system message. */
void chat_forget(struct chat *chat);

#endif
