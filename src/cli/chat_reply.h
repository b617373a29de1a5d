/* SPDX-License-Identifier: MIT */
/*
 * chat_reply.h - one streamed answer of /v1/chat/completions or /api/v0/chat/completions: shows
 * it as it arrives and keeps its text.
 */
#ifndef DOZE_CLI_CHAT_REPLY_H
#define DOZE_CLI_CHAT_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/sse.h"

enum { REPLY_MAX_TEXT = 16 << 20 };

/* The server's figures of the answer. */
struct chat_figures {
    bool stats, usage;          /* which of the two came */
    double tokens_per_second;   /* while generating */
    double time_to_first_token; /* seconds from the request */
    double generation_time;     /* seconds from the first token */
    char stop_reason[40];
    int64_t prompt_tokens, cached_tokens, completion_tokens;
};

struct chat_reply {
    const struct cli *cli;
    const char *model; /* to name while it loads; NULL: "the model". Borrowed */
    struct buf text;   /* of the answer, without its reasoning */
    struct progress progress;
    bool reasoning; /* the last thing shown was reasoning */
    bool at_line_start;
    bool failed; /* the stream ended with an error event, which is in err */
    struct error err;
    struct chat_figures figures;
};

void chat_reply_init(struct chat_reply *r, const struct cli *cli, const char *model);
void chat_reply_clear(struct chat_reply *r);

/* The on_event of a call; ctx is the struct chat_reply. */
void chat_reply_on_event(void *ctx, const struct sse_event *ev);

/* End the shown text with a newline if it has none. */
void chat_reply_end(struct chat_reply *r);

/* Print the figures on stderr, in one line, or that there are none. */
void chat_reply_print_stats(const struct chat_reply *r);

#endif
