/* SPDX-License-Identifier: MIT */
#include "engine/prompt_room.h"

/* No batch is smaller because of its time, and the first one of an unknown machine is no
 * larger. */
enum { LEAST = 128 };

static size_t in_time(size_t chunk, double speed) {
    double tokens = speed * PROMPT_SECONDS;
    if (tokens >= (double)chunk) return chunk;
    size_t most = tokens > LEAST ? (size_t)tokens : LEAST;
    return most < chunk ? most : chunk;
}

size_t prompt_room(size_t prompts, size_t due, size_t chunk, double speed) {
    size_t most = in_time(chunk, speed), batches = (due + most - 1) / most;
    if (prompts == 1) return (due + batches - 1) / batches;
    while (chunk > most) chunk = (chunk + 1) / 2;
    return chunk;
}

size_t prompt_share(size_t due, size_t room, size_t before) {
    size_t end = before + room, whole = end - end % PROMPT_PIECE;
    size_t share = whole > before ? whole - before : PROMPT_PIECE;
    if (due <= room) return due;
    return share < room ? share : room;
}

/* In units of what a token takes behind no cells: with each of these many cells before it, its
 * attention takes another one. Measured with 0.5B Q8_0 behind 500 and 8,000 tokens. */
#define CELLS_ALONE 1400.0
#define CELLS_IN_PIECE 4000.0

/* Behind fewer cells than this nothing is gained but for the last few of a piece. */
enum { LEAST_KEPT = 512 };

size_t prompt_keep(size_t kept, size_t due) {
    if (kept < LEAST_KEPT || due >= PROMPT_PIECE) return kept;
    double alone = (double)due * (1 + (double)kept / CELLS_ALONE);
    double piece = PROMPT_PIECE * (1 + (double)kept / CELLS_IN_PIECE);
    return alone > piece ? kept - (PROMPT_PIECE - due) : kept;
}

bool prompt_may_follow(size_t due, size_t share, bool beside) {
    return beside || share == due || share >= PROMPT_PIECE;
}
