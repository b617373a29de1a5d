/* SPDX-License-Identifier: MIT */
/*
 * past.h - what a Responses body leaves to the server to remember, and what the server
 * remembers of it. Pure.
 *
 * A body names an earlier response (previous_response_id), whose conversation it continues,
 * and single items of earlier ones (item_reference). The server looks them up and joins them
 * to the body before the dialect reads it, so the prompt is what it would be if the client had
 * sent everything again.
 */
#ifndef DOZE_API_RESPONSES_PAST_H
#define DOZE_API_RESPONSES_PAST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* An item's id has its response's in it. */
struct past_item {
    char *id, *response;
};

struct past_wanted {
    bool store;              /* the client wants its answer kept; it does if it says nothing */
    char *previous;          /* NULL: none */
    char *model;             /* that it names; "": none */
    struct past_item *items; /* each once for each reference, in their order */
    size_t item_count;
};

/* Fails for a body that is not a JSON object, and for fields of a wrong type. */
bool past_read(const char *body, size_t len, struct past_wanted *ret_wanted, struct error *err);
void past_wanted_clear(struct past_wanted *wanted);

/* Append the body with what was found: {"items":[...],"referenced":[...]}, the items of the
 * conversation before, and one for each reference. */
bool past_join(const char *body, size_t len, const struct buf *found, struct buf *out,
               struct error *err);

/* Append the body's own items as an array, to be stored with the response `id` ("x" of
 * "resp_x"): references resolved (found NULL: there are none), each with a type and an id,
 * contents as parts. */
bool past_format_input(const char *body, size_t len, const struct buf *found, const char *id,
                       struct buf *out, struct error *err);

/* A part of a list, as the query of a URL chooses it; NULL: not given. */
struct past_page {
    const char *limit, *order, *after;
};

/* Append the page of `items`, an array, as OpenAI's list object. */
bool past_format_page(const struct buf *items, const struct past_page *page, struct buf *out,
                      struct error *err);

#endif
