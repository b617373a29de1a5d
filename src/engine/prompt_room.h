/* SPDX-License-Identifier: MIT */
/*
 * prompt_room.h - how many tokens of prompts one batch takes, and how many of which. Pure.
 *
 * Large batches are faster per token (0.5B Q8_0, 2 cores: 512 tokens at once against 128: 7 %),
 * but a request that comes meanwhile waits until the batch is through. So a batch takes no more
 * than the machine computes in PROMPT_SECONDS. One prompt is divided evenly: a few tokens left
 * over for a batch of their own would take twice their time.
 *
 * Several prompts fill a chunk, or a half or quarter of it, to a multiple of PROMPT_PIECE
 * tokens: that is what ggml's attention computes at once, and it leaves out blocks of cells
 * that no token of the piece may see, as are those of other prompts. A piece that is not full
 * takes as long as a full one.
 */
#ifndef DOZE_ENGINE_PROMPT_ROOM_H
#define DOZE_ENGINE_PROMPT_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#define PROMPT_SECONDS 3.0
enum { PROMPT_PIECE = 64 };

/* prompts, due: how many there are, and their tokens still to be processed; > 0. chunk: most
 * that a batch takes, > 0. speed: in tokens per second, as the last one of them was computed;
 * 0: not known. At least 1, at most chunk. */
size_t prompt_room(size_t prompts, size_t due, size_t chunk, double speed);

/* How much of the room the next prompt gets; which one that is: order.h. due: its tokens, > 0.
 * before: tokens that the batch has. At least 1, at most due and room. */
size_t prompt_share(size_t due, size_t room, size_t before);

/* How many of the `kept` tokens that are processed to keep, so that the `due` ones behind them
 * take the least time: behind many cells ggml's attention looks at fewer than PROMPT_PIECE
 * tokens one by one. To process a few of the kept ones again and fill the piece is faster.
 * Measured behind 8,000 tokens (0.5B Q8_0, 2 cores): 25 tokens 566 ms, 48 1,049, 63 1,352, 64
 * 660. */
size_t prompt_keep(size_t kept, size_t due);

/* May this share be in one batch with another prompt's? Less than PROMPT_PIECE may only if it
 * ends the prompt, or beside answers, where batches are small anyway. */
bool prompt_may_follow(size_t due, size_t share, bool beside);

#endif
