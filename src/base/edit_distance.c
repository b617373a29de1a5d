/* SPDX-License-Identifier: MIT */
#include "base/edit_distance.h"

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Row i of the table holds the distances from the first i bytes of a to each start of b. A cell
 * depends on the two rows above, so three rows are enough. */
size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len) {
    size_t rows[3][EDIT_DISTANCE_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    a_len = least(a_len, EDIT_DISTANCE_MAX);
    b_len = least(b_len, EDIT_DISTANCE_MAX);
    for (size_t j = 0; j <= b_len; j++) last[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b_len];
}
