/* SPDX-License-Identifier: MIT */
/* choice.c - one answer, collected for a client that wants it whole. */
#include "api/choice.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/xalloc.h"

void choice_clear(struct choice *choice) {
    buf_clear(&choice->text);
    buf_clear(&choice->reasoning);
    for (int i = 0; i < choice->call_count; i++) {
        free(choice->calls[i].id);
        free(choice->calls[i].name);
        buf_clear(&choice->calls[i].arguments);
    }
    yyjson_mut_doc_free(choice->logprobs);
    *choice = (struct choice){ 0 };
}

size_t choice_held(const struct choice *choice) {
    size_t bytes = choice->text.cap + choice->reasoning.cap + choice->logprobs_held;
    for (int i = 0; i < choice->call_count; i++) bytes += choice->calls[i].arguments.cap;
    return bytes;
}

int64_t choice_text_length(const char *text) {
    int64_t length = 0;
    for (; *text; text++) length += ((unsigned char)*text & 0xc0) != 0x80;
    return length;
}

static void text_keep(struct choice *choice, struct buf *buf, const char *text) {
    if (!text) return;
    buf->max = CHOICE_TEXT_MAX;
    if (!buf_add_str(buf, text)) choice->cut = true;
}

static void call_keep(struct choice *choice, const struct tool_call_piece *piece) {
    if (piece->index < 0 || piece->index >= DELTA_MAX_CALLS) {
        choice->cut = true;
        return;
    }
    while (choice->call_count <= piece->index) {
        choice->calls[choice->call_count++] =
            (struct choice_call){ .arguments = BUF_INIT(CHOICE_ARGUMENTS_MAX) };
    }
    struct choice_call *call = &choice->calls[piece->index];
    if (piece->id && !call->id) call->id = xstrdup(piece->id);
    if (piece->name && !call->name) call->name = xstrdup(piece->name);
    if (piece->arguments && !buf_add_str(&call->arguments, piece->arguments))
        choice->cut = true;
}

static void logprobs_keep(struct choice *choice, yyjson_val *entries) {
    yyjson_val *entry;
    size_t i, count;
    if (!choice->logprobs) {
        choice->logprobs = yyjson_mut_doc_new(NULL);
        yyjson_mut_doc_set_root(choice->logprobs, yyjson_mut_arr(choice->logprobs));
    }
    yyjson_mut_val *list = yyjson_mut_doc_get_root(choice->logprobs);
    yyjson_arr_foreach(entries, i, count, entry) {
        if (yyjson_mut_arr_size(list) == CHOICE_LOGPROBS_MAX) {
            choice->cut = true;
            return;
        }
        yyjson_mut_val *kept = yyjson_val_mut_copy(choice->logprobs, entry);
        yyjson_mut_arr_append(list, kept);
        choice->logprobs_held += json_cost(kept);
        choice->rated += 1 + yyjson_arr_size(yyjson_obj_get(entry, "top_logprobs"));
    }
}

void choice_keep(struct choice *choice, const struct service_event *ev) {
    text_keep(choice, &choice->text, ev->content);
    text_keep(choice, &choice->reasoning, ev->reasoning);
    for (int i = 0; i < ev->call_count; i++) call_keep(choice, &ev->calls[i]);
    if (ev->logprobs) {
        logprobs_keep(choice, ev->logprobs);
    } else if (ev->content && !choice->logprobs) {
        choice->text_offset += choice_text_length(ev->content); /* an echoed prompt */
    }
}

/* The worker's entries of an echoed prompt stand before those of the answer. */
static double likelihood(const struct choice *choice) {
    yyjson_mut_val *list = yyjson_mut_doc_get_root(choice->logprobs), *entry;
    size_t i, max, count = yyjson_mut_arr_size(list), tokens = (size_t)choice->tokens;
    size_t first = count > tokens ? count - tokens : 0;
    double sum = 0;
    if (count == first) return -INFINITY;
    yyjson_mut_arr_foreach(list, i, max, entry) {
        if (i >= first) sum += yyjson_mut_get_num(yyjson_mut_obj_get(entry, "logprob"));
    }
    return sum / (double)(count - first);
}

void choice_rank(const struct choice *choices, int count, int *ret_order) {
    double *likely = xcalloc((size_t)count, sizeof *likely);
    for (int i = 0; i < count; i++) {
        int place = i;
        likely[i] = likelihood(&choices[i]);
        while (place > 0 && likely[ret_order[place - 1]] < likely[i]) {
            ret_order[place] = ret_order[place - 1];
            place--;
        }
        ret_order[place] = i;
    }
    free(likely);
}
