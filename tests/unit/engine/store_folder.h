/* SPDX-License-Identifier: MIT */
/* store_folder.h - a folder of stored prompts for each test, and workers that use it. */
#ifndef TESTS_ENGINE_STORE_FOLDER_H
#define TESTS_ENGINE_STORE_FOLDER_H

#include "cmocka_prelude.h"

#include "worker.h"

#define STORY                                                                                  \
    "Once upon a time there was a small machine that slept most of the day and woke when "     \
    "somebody came by and asked it something. It did not mind, for it had nothing else to do."

#define OTHER                                                                                  \
    "Nobody knew how far the sea was, and nobody had asked, since the road went uphill. The "  \
    "bread was good that year, though, and the winter late. "

enum { ANSWER = 40, STORY_TOKENS = 340, BEHIND = 8 };

extern char *folder; /* of the running test */

int make_folder(void **state);
int clear_folder(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, clear_folder)

void each_file(void (*fn)(const char *path));
int file_count(void);
void delete_file(const char *path);

/* A model of random weights. The caller frees its path. */
char *random_model(void);

extern const char *usual; /* load settings: two places, unless a test sets more */

/* A worker with the store in this mode ("on", "memory", "off") and the usual settings; the
 * second one with these instead. */
struct worker *start(const char *model, const char *mode);
struct worker *start_with(const char *model, const char *mode, const char *more);

/* A greedy answer: what was said, and how much of the prompt was there and where. */
struct said {
    char *text; /* the caller frees it, or expect() does */
    int64_t cached;
    char source[16]; /* "": nowhere */
};

/* more: further members of the request, each after a comma. */
struct said ask(struct worker *w, const char *prompt, int tokens, const char *more);
/* Cached tokens from least, rounded down to a group, to most. Frees said->text. */
void expect(struct said *said, const char *text, int64_t least, int64_t most,
            const char *source);

#endif
