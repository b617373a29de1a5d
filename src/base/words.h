/* SPDX-License-Identifier: MIT */
/* words.h - looks up a word in a table that is indexed by an enum. Pure. */
#ifndef DOZE_BASE_WORDS_H
#define DOZE_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The index of the word; -1 if it is NULL or not in the table, which has no gaps. */
int words_find(const char *const words[], size_t count, const char *word);

/* The same for an array, whose length the compiler knows. */
#define WORDS_FIND(table, word) words_find(table, sizeof(table) / sizeof *(table), word)

/* Fail with ERR_INVALID_REQUEST, naming the field and listing the words; "" stands for unset
 * and is not listed. */
bool words_refuse(const char *const words[], size_t count, const char *field,
                  struct error *err);

#endif
