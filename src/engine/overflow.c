/* SPDX-License-Identifier: MIT */
#include "engine/overflow.h"

#include <assert.h>
#include <string.h>

#include "base/words.h"

static const char *const words[] = {
    [OVERFLOW_STOP] = "stop",
    [OVERFLOW_MIDDLE] = "truncate_middle",
    [OVERFLOW_OLDEST] = "rolling_window",
};

bool overflow_parse(const char *word, enum overflow *ret) {
    int found = WORDS_FIND(words, word);
    if (found < 0) return false;
    *ret = (enum overflow)found;
    return true;
}

size_t overflow_room(size_t length) {
    return length - length / 4;
}

/* The beginning, where instructions are, gets a third. */
size_t overflow_cut(enum overflow overflow, int32_t *tokens, size_t count, size_t room) {
    assert(overflow != OVERFLOW_STOP && room >= 2);
    if (count <= room) return count;
    size_t head = overflow == OVERFLOW_MIDDLE ? room / 3 : 1;
    if (head == 0) head = 1;
    size_t tail = room - head;
    memmove(tokens + head, tokens + count - tail, tail * sizeof *tokens);
    return room;
}
