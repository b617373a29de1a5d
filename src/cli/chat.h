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

/* Borrows cli and the model's name until chat_free. */
struct chat *chat_new(const struct cli *cli, const struct chat_options *options);
void chat_free(struct chat *chat);

/* Ask, and show the answer on stdout as it arrives. The conversation keeps question and answer;
 * of a cancelled answer, the part that arrived; after a failure, neither. Fails if the text is
 * not UTF-8. cancel_fd: as in struct call. */
enum outcome chat_ask(struct chat *chat, const char *text, size_t len, int cancel_fd,
                      struct error *err);

/* Start over: drop all messages but the system message. */
void chat_forget(struct chat *chat);

/* The name to show: the model's. */
const char *chat_model(const struct chat *chat);

/* The system message, from the next question on; NULL: none. The text is copied. */
void chat_set_system(struct chat *chat, const char *text);
const char *chat_system(const struct chat *chat);

bool chat_stats(const struct chat *chat);
void chat_set_stats(struct chat *chat, bool on);

/* A sampling setting of the next questions: a number, or "none" for the model's own. Fails if
 * there is no such setting or the text is not its value. */
bool chat_set(struct chat *chat, const char *name, const char *value, struct error *err);
/* Append one line for each setting: its name, and its value or what it does. */
void chat_add_settings(const struct chat *chat, struct buf *out);

/* Write the messages to a file as JSON, or replace them by those of such a file. */
bool chat_save(const struct chat *chat, const char *path, struct error *err);
bool chat_load(struct chat *chat, const char *path, struct error *err);
size_t chat_message_count(const struct chat *chat);

#endif
