/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "catalog/catalog.h"

/* Longer names are compared by their beginning. CLASSES: letters and digits have one each. */
enum { LENGTH_MAX = 96, CLASSES = 40, PICKS = 3 };

/* Out of 100 for equal names. Below ENOUGH a name is no help to anybody. */
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

/* At least so many edits lie between them: cheap, and right for most names of a long catalog.
 */
static int least_distance(const struct word *a, const struct word *b) {
    int missing = 0, surplus = 0;
    for (int i = 0; i < CLASSES; i++) {
        int difference = a->counts[i] - b->counts[i];
        if (difference > 0) missing += difference;
        if (difference < 0) surplus -= difference;
    }
    return missing > surplus ? missing : surplus;
}

static int min3(int a, int b, int c) {
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* Damerau-Levenshtein distance (optimal string alignment): insert, delete, change, swap. */
static int distance(const struct word *a, const struct word *b) {
    int rows[3][LENGTH_MAX + 1];
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (int j = 0; j <= b->len; j++) last[j] = j;
    for (int i = 1; i <= a->len; i++) {
        row[0] = i;
        for (int j = 1; j <= b->len; j++) {
            int change = a->text[i - 1] == b->text[j - 1] ? 0 : 1;
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
            bool swap = i > 1 && j > 1 && a->text[i - 1] == b->text[j - 2] &&
                        a->text[i - 2] == b->text[j - 1];
            if (swap && before[j - 2] + 1 < row[j]) row[j] = before[j - 2] + 1;
        }
        int *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b->len];
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
    return 100 - 100 * distance(wanted, key) / longest + extra;
}

/* Keep the best, the earlier of equals first. */
static void consider(struct pick picks[PICKS], int score, const char *name) {
    struct pick new = { score, name };
    for (int i = 0; i < PICKS; i++) {
        if (new.score <= picks[i].score) continue;
        struct pick old = picks[i];
        picks[i] = new;
        new = old;
    }
}

/* Without publisher and .gguf, which keys do not have. */
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
