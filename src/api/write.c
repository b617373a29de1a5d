/* SPDX-License-Identifier: MIT */
#include "api/write.h"

#include <stdio.h>
#include <time.h>

#include "base/json.h"

yyjson_mut_doc *answer_new(void) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(doc, yyjson_mut_obj(doc));
    return doc;
}

yyjson_mut_doc *event_new(const char *type) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_obj_add_str(doc, yyjson_mut_doc_get_root(doc), "type", type);
    return doc;
}

void event_send(yyjson_mut_doc *doc, struct buf *out) {
    yyjson_mut_val *type = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "type");
    buf_addf(out, "event: %s\ndata: ", yyjson_mut_get_str(type));
    json_write_end(doc, out);
    buf_add_str(out, "\n\n");
}

void add_text_or_null(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name,
                      const char *text) {
    if (text) {
        yyjson_mut_obj_add_str(doc, out, name, text);
    } else {
        yyjson_mut_obj_add_null(doc, out, name);
    }
}

void add_time(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name, int64_t unix_ms) {
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm tm;
    char day[32], text[48];
    if (unix_ms <= 0 || !gmtime_r(&seconds, &tm) ||
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        yyjson_mut_obj_add_null(doc, out, name);
        return;
    }
    snprintf(text, sizeof text, "%s.%03dZ", day, (int)(unix_ms % 1000));
    yyjson_mut_obj_add_strcpy(doc, out, name, text);
}

void add_response_usage(yyjson_mut_doc *doc, yyjson_mut_val *out,
                        const struct service_usage *u) {
    yyjson_mut_val *usage = yyjson_mut_obj_add_obj(doc, out, "usage");
    yyjson_mut_obj_add_int(doc, usage, "input_tokens", u->prompt_tokens);
    yyjson_mut_val *in = yyjson_mut_obj_add_obj(doc, usage, "input_tokens_details");
    yyjson_mut_obj_add_int(doc, in, "cached_tokens", u->cached_tokens);
    yyjson_mut_obj_add_int(doc, in, "cache_write_tokens", u->prompt_tokens - u->cached_tokens);
    yyjson_mut_obj_add_int(doc, usage, "output_tokens", u->completion_tokens);
    yyjson_mut_val *of = yyjson_mut_obj_add_obj(doc, usage, "output_tokens_details");
    yyjson_mut_obj_add_int(doc, of, "reasoning_tokens", u->reasoning_tokens);
    yyjson_mut_obj_add_int(doc, usage, "total_tokens", u->prompt_tokens + u->completion_tokens);
}
