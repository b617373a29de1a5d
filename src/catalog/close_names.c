/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/edit_distance.h"
#include "catalog/catalog.h"

/* CLASSES: one for each letter and digit, four for other bytes. */
enum { LENGTH_MAX = EDIT_DISTANCE_MAX, CLASSES = 40, PICKS = 3 };

/* Equal names have 100 points. Names with fewer than ENOUGH are not suggested. */
enum { ENOUGH = 50, BONUS_WITHIN = 30, BONUS_PREFIX = 20 };

struct word {
    char text[LENGTH_MAX]; /* lower case, not NUL-terminated */
    int len;
    int counts[CLASSES];
};

struct pick {
    int score;
    const char *name;
};

static int class_of(char c) {
    if (c >= 'a' && c <= 'z') return c - 'a';
    if (c >= '0' && c <= '9') return 26 + c - '0';
    return 36 + (c & 3);
}

static void word_init(struct word *w, const char *text, size_t len) {
    memset(w->counts, 0, sizeof w->counts);
    w->len = (int)(len < LENGTH_MAX ? len : LENGTH_MAX);
    for (int i = 0; i < w->len; i++) {
        w->text[i] = ascii_lower(text[i]);
        w->counts[class_of(w->text[i])]++;
    }
}

/* A lower bound of the distance. It is cheap and rules out most names of a long catalog. */
static int least_distance(const struct word *a, const struct word *b) {
    int missing = 0, surplus = 0;
    for (int i = 0; i < CLASSES; i++) {
        int difference = a->counts[i] - b->counts[i];
        if (difference > 0) missing += difference;
        if (difference < 0) surplus -= difference;
    }
    return missing > surplus ? missing : surplus;
}

static int bonus(const struct word *wanted, const struct word *key) {
    const struct word *small = wanted->len < key->len ? wanted : key;
    const struct word *large = small == wanted ? key : wanted;
    if (small->len < 2) return 0;
    const char *hit = memmem(large->text, (size_t)large->len, small->text, (size_t)small->len);
    if (!hit) return 0;
    return BONUS_WITHIN + (hit == large->text ? BONUS_PREFIX : 0);
}

static int score_of(const struct word *wanted, const struct word *key, int worst_useful) {
    int longest = wanted->len > key->len ? wanted->len : key->len;
    if (longest == 0) return 0;
    int extra = bonus(wanted, key);
    int at_best = 100 - 100 * least_distance(wanted, key) / longest + extra;
    if (at_best <= worst_useful) return 0;
    int distance = (int)edit_distance(wanted->text, (size_t)wanted->len, key->text,
                                      (size_t)key->len);
    return 100 - 100 * distance / longest + extra;
}

/* Keep the best; of equals the earlier. */
static void consider(struct pick picks[PICKS], int score, const char *name) {
    struct pick new = { score, name };
    for (int i = 0; i < PICKS; i++) {
        if (new.score <= picks[i].score) continue;
        struct pick old = picks[i];
        picks[i] = new;
        new = old;
    }
}

/* Keys have no publisher and no .gguf. */
static void wanted_init(struct word *wanted, const char *name) {
    const char *slash = strrchr(name, '/');
    if (slash && slash[1]) name = slash + 1;
    size_t len = strlen(name);
    if (ascii_ends_with(name, len, ".gguf")) len -= strlen(".gguf");
    word_init(wanted, name, len);
}

size_t catalog_close_names(const struct catalog *catalog, const char *name,
                           const char *ret_names[3]) {
    struct pick picks[PICKS] = { { ENOUGH - 1, NULL },
                                 { ENOUGH - 1, NULL },
                                 { ENOUGH - 1, NULL } };
    struct word wanted, key;
    wanted_init(&wanted, name);
    for (size_t i = 0; i < catalog->count; i++) {
        word_init(&key, catalog->models[i].key, strlen(catalog->models[i].key));
        int score = score_of(&wanted, &key, picks[PICKS - 1].score);
        consider(picks, score, catalog->models[i].key);
    }
    size_t count = 0;
    while (count < PICKS && picks[count].name) {
        ret_names[count] = picks[count].name;
        count++;
    }
    return count;
}
