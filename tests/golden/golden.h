/* SPDX-License-Identifier: MIT */
/* golden.h - cases that are files: what goes in, and the bytes that must come out. */
#ifndef DOZE_TESTS_GOLDEN_H
#define DOZE_TESTS_GOLDEN_H

#include <stdbool.h>

#include "base/buf.h"

struct golden_case {
    char *path; /* folder/name, without the file's ending */
    char *name; /* "openai/chat-plain" */
};

/* Run `run` as one cmocka test for each file of folder (below GOLDEN_DIR) that has the ending,
 * in the order of their names. Returns the number of failures; having no case at all is one. */
int golden_run(const char *folder, const char *ending,
               void (*run)(const struct golden_case *c));

/* The file of the case with that ending. Absent: false. */
bool golden_read(const struct golden_case *c, const char *ending, struct buf *ret);

/* Fail unless the file has exactly these bytes; with UPDATE=1 write it instead. */
void golden_check(const struct golden_case *c, const char *ending, struct buf *actual);

#endif
