/* SPDX-License-Identifier: MIT */
#include "cli/chat_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/client.h"
#include "cli/fields.h"
#include "cli/show.h"
#include "cli/text.h"

void chat_reply_init(struct chat_reply *r, const struct cli *cli, const char *model) {
    *r = (struct chat_reply){ .cli = cli, .model = model, .at_line_start = true };
    buf_init(&r->text, REPLY_MAX_TEXT);
}

void chat_reply_clear(struct chat_reply *r) {
    buf_clear(&r->text);
}

static void show_piece(struct chat_reply *r, yyjson_val *piece) {
    const char *text = yyjson_get_str(piece);
    size_t len = yyjson_get_len(piece);
    if (!text || len == 0) return;
    progress_clear(&r->progress);
    show_text(stdout, text, len);
    r->at_line_start = text[len - 1] == '\n';
}

/* Reasoning is dim on a terminal and left out of pipes and files. */
static void show_reasoning(struct chat_reply *r, yyjson_val *piece) {
    if (!yyjson_is_str(piece) || !isatty(STDOUT_FILENO)) return;
    if (!r->reasoning) fputs(text_begin(stdout, STYLE_DIM), stdout);
    r->reasoning = true;
    show_piece(r, piece);
}

static void end_reasoning(struct chat_reply *r) {
    if (!r->reasoning) return;
    printf("%s%s", text_end(stdout), r->at_line_start ? "\n" : "\n\n");
    r->reasoning = false;
    r->at_line_start = true;
}

static void take_delta(struct chat_reply *r, yyjson_val *delta) {
    yyjson_val *content = yyjson_obj_get(delta, "content");
    show_reasoning(r, yyjson_obj_get(delta, "reasoning_content"));
    if (yyjson_is_str(content) && yyjson_get_len(content) > 0) {
        end_reasoning(r);
        show_piece(r, content);
        buf_add(&r->text, yyjson_get_str(content), yyjson_get_len(content));
    }
    fflush(stdout);
}

/* ": loading 42%" while the model is being loaded. */
static void take_loading(struct chat_reply *r, const char *text) {
    static const char word[] = "loading ";
    char label[300], *end = NULL;
    if (strncmp(text, word, sizeof word - 1) != 0) return;
    long percent = strtol(text + sizeof word - 1, &end, 10);
    if (*end != '%') return;
    snprintf(label, sizeof label, "Loading %s", r->model ? r->model : "the model");
    progress_show(&r->progress, label, (double)percent / 100);
}

static void take_stats(struct chat_figures *f, yyjson_val *stats) {
    if (!stats) return;
    f->stats = true;
    f->tokens_per_second = field_num(stats, "tokens_per_second", 0);
    f->time_to_first_token = field_num(stats, "time_to_first_token", 0);
    f->generation_time = field_num(stats, "generation_time", 0);
    snprintf(f->stop_reason, sizeof f->stop_reason, "%s", field_str(stats, "stop_reason"));
}

static void take_usage(struct chat_figures *f, yyjson_val *usage) {
    if (!yyjson_is_obj(usage)) return;
    f->usage = true;
    f->prompt_tokens = field_int(usage, "prompt_tokens");
    f->completion_tokens = field_int(usage, "completion_tokens");
    f->cached_tokens = field_int(yyjson_obj_get(usage, "prompt_tokens_details"),
                                 "cached_tokens");
}

void chat_reply_on_event(void *ctx, const struct sse_event *ev) {
    struct chat_reply *r = ctx;
    struct error ignored;
    if (ev->kind == SSE_COMMENT) {
        take_loading(r, ev->text);
        return;
    }
    if (strcmp(ev->text, "[DONE]") == 0) return;
    yyjson_doc *doc = json_parse_object(ev->text, ev->len, &ignored);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *choice = yyjson_arr_get_first(yyjson_obj_get(root, "choices"));
    if (yyjson_obj_get(root, "error")) {
        progress_clear(&r->progress);
        r->failed = true;
        client_read_error(r->cli, ev->text, ev->len, 500, &r->err);
    }
    take_delta(r, yyjson_obj_get(choice, "delta"));
    take_stats(&r->figures, yyjson_obj_get(root, "stats"));
    take_usage(&r->figures, yyjson_obj_get(root, "usage"));
    yyjson_doc_free(doc);
}

void chat_reply_end(struct chat_reply *r) {
    progress_clear(&r->progress);
    if (r->reasoning) fputs(text_end(stdout), stdout);
    if (!r->at_line_start) putchar('\n');
    r->reasoning = false;
    r->at_line_start = true;
    fflush(stdout);
}

/* Plain words for LM Studio's; an unknown one stays as it is. */
static const char *stop_text(const char *reason) {
    static const char *const texts[][2] = {
        { "eosFound", "complete" },
        { "stopStringFound", "ended at a stop string" },
        { "maxPredictedTokensReached", "cut at the token limit" },
        { "contextLengthReached", "cut at the end of the context" },
        { "toolCalls", "ended with a tool call" },
        { "userStopped", "stopped" },
        { "modelUnloaded", "cut because the model was unloaded" },
        { "failed", "failed" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(reason, texts[i][0]) == 0) return texts[i][1];
    }
    return reason;
}

void chat_reply_print_stats(const struct chat_reply *r) {
    const struct chat_figures *f = &r->figures;
    if (!f->stats && !f->usage) {
        fprintf(stderr, "The server sent no figures.\n");
        return;
    }
    fputs(text_begin(stderr, STYLE_DIM), stderr);
    if (f->usage) {
        fprintf(stderr, "prompt %lld tokens (%lld cached), answer %lld tokens%s",
                (long long)f->prompt_tokens, (long long)f->cached_tokens,
                (long long)f->completion_tokens, f->stats ? "\n" : "");
    }
    if (f->stats) {
        fprintf(stderr, "%.1f tokens/s, first token after %.2f s, total %.2f s, %s",
                f->tokens_per_second, f->time_to_first_token,
                f->time_to_first_token + f->generation_time, stop_text(f->stop_reason));
    }
    fprintf(stderr, "%s\n", text_end(stderr));
}
