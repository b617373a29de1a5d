/* SPDX-License-Identifier: MIT */
/*
 * chat_file.h - saved conversations, {"model": "...", "messages": [{"role", "content"}, ...]},
 * as the HTTP API takes the messages.
 */
#ifndef DOZE_CLI_CHAT_FILE_H
#define DOZE_CLI_CHAT_FILE_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/error.h"

/* The file that `/save name` means: a path if the name has a slash, else name.json in
 * $XDG_DATA_HOME/doze/chats. The caller frees. */
char *chat_file_path(const char *name);

/* The file is replaced at once and only its owner can read it; missing folders are made. */
bool chat_file_write(const char *path, const yyjson_mut_doc *doc, struct error *err);

/* Each message has a role and a content, both strings. The caller frees. NULL if the file
 * cannot be read or is something else. */
yyjson_doc *chat_file_read(const char *path, struct error *err);

#endif
