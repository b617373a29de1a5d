/* SPDX-License-Identifier: MIT */
#include "prompts/value.h"

#include <stdbool.h>
#include <stdlib.h>

#define HOUR_MS (3600.0 * 1000.0)

double value_of(const struct value_item *item, int64_t now) {
    double age = now > item->used ? (double)(now - item->used) : 0;
    double bytes = item->bytes > 0 ? (double)item->bytes : 1;
    return (double)item->tokens / (1 + age / HOUR_MS) / bytes;
}

struct ranked {
    double value;
    struct value_item item;
};

static int by_value(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return (x->item.used > y->item.used) - (x->item.used < y->item.used);
}

static void sort(struct value_item *items, size_t count, int64_t now) {
    struct ranked *ranked = calloc(count, sizeof *ranked);
    if (!ranked) return; /* then they go in any order */
    for (size_t i = 0; i < count; i++) {
        ranked[i] = (struct ranked){ value_of(&items[i], now), items[i] };
    }
    qsort(ranked, count, sizeof *ranked, by_value);
    for (size_t i = 0; i < count; i++) items[i] = ranked[i].item;
    free(ranked);
}

size_t value_excess(struct value_item *items, size_t count, uint64_t budget, int64_t now) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) total += items[i].bytes;
    if (total <= budget) return 0;
    sort(items, count, now);
    size_t n = 0;
    for (; n < count && total > budget; n++) total -= items[n].bytes;
    return n;
}
