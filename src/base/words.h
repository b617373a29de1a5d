/* SPDX-License-Identifier: MIT */
/* words.h - finds the value of an enum by its word, in a table of words indexed by the enum. */
#ifndef DOZE_BASE_WORDS_H
#define DOZE_BASE_WORDS_H

#include <stddef.h>

/* The index of the word; -1 if it is not one of them, or NULL. The table has no gaps. */
int words_find(const char *const words[], size_t count, const char *word);

/* For a table whose length is known here. */
#define WORDS_FIND(table, word) words_find(table, sizeof(table) / sizeof *(table), word)

#endif
