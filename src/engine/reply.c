/* SPDX-License-Identifier: MIT */
#include "engine/reply.h"

#include <math.h>
#include <stdlib.h>
#include <yyjson.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "engine/placement_shim.h"

/* Send the document and free it. */
static void send_doc(struct link *link, enum message_type type, uint64_t request,
                     yyjson_mut_doc *doc) {
    struct buf json = BUF_INIT(FRAME_MAX_TO_DAEMON);
    if (json_write(doc, &json)) {
        link_send(link, type, request, json.data, json.len);
    } else if (request) {
        struct error err;
        error_set(&err, ERR_TOO_LARGE, "The answer is larger than %d bytes.",
                  FRAME_MAX_TO_DAEMON);
        reply_error(link, request, &err);
    }
    buf_clear(&json);
    yyjson_mut_doc_free(doc);
}

void reply_format_error(struct buf *out, const struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "code", error_name(err->code));
    yyjson_mut_obj_add_str(doc, root, "text", err->text);
    if (*err->param) yyjson_mut_obj_add_str(doc, root, "param", err->param);
    json_write_end(doc, out);
}

void reply_failed(struct link *link, const struct error *err) {
    struct buf json = BUF_INIT(8192);
    reply_format_error(&json, err);
    link_send(link, MSG_FAILED, 0, json.data, json.len);
    link_drain(link);
    buf_clear(&json);
}

void reply_error(struct link *link, uint64_t request, const struct error *err) {
    struct buf json = BUF_INIT(8192);
    reply_format_error(&json, err);
    link_send(link, MSG_ERROR, request, json.data, json.len);
    buf_clear(&json);
}

void reply_started(struct link *link, const struct job *job) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_val *prompt = yyjson_obj_get(yyjson_doc_get_root(job->plan), "prompt");
    if (prompt) yyjson_mut_obj_add_val(doc, root, "prompt", yyjson_val_mut_copy(doc, prompt));
    yyjson_mut_obj_add_uint(doc, root, "prompt_tokens", job->prompt_tokens);
    yyjson_mut_obj_add_uint(doc, root, "cached_tokens", job->cached_tokens);
    yyjson_mut_obj_add_str(doc, root, "cache_source", cache_source_name(job->cache_source));
    yyjson_val *unenforced = yyjson_obj_get(yyjson_doc_get_root(job->plan), "unenforced");
    if (unenforced)
        yyjson_mut_obj_add_val(doc, root, "unenforced", yyjson_val_mut_copy(doc, unenforced));
    if (yyjson_obj_get(yyjson_doc_get_root(job->plan), "loose"))
        yyjson_mut_obj_add_true(doc, root, "loose");
    yyjson_mut_obj_add_str(doc, root, "cache_miss", cache_miss_name(job->cache_miss));
    yyjson_mut_obj_add_uint(doc, root, "cache_common", job->cache_common);
    send_doc(link, MSG_STARTED, job->id, doc);
}

static double seconds(int64_t from, int64_t to) {
    return from > 0 && to > from ? (double)(to - from) / 1e6 : 0;
}

void reply_prompt(struct link *link, const struct job *job, size_t processed) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "processed", processed);
    yyjson_mut_obj_add_uint(doc, root, "total", job->prompt_tokens);
    yyjson_mut_obj_add_uint(doc, root, "cached", job->cached_tokens);
    send_doc(link, MSG_PROMPT, job->id, doc);
}

static void add_draft(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct job *job) {
    const struct lookup *found = &job->lookup, *made = &job->drafts;
    if (found->drafted + made->drafted == 0) return;
    yyjson_mut_obj_add_uint(doc, root, "drafted_tokens", found->drafted + made->drafted);
    yyjson_mut_obj_add_uint(doc, root, "accepted_tokens", found->accepted + made->accepted);
    yyjson_mut_obj_add_uint(doc, root, "ignored_tokens", found->open + made->open);
    yyjson_mut_obj_add_uint(doc, root, "draft_pauses", found->rests + made->rests);
}

void reply_done(struct link *link, const struct job *job, enum stop_reason reason) {
    int64_t now = clock_boottime_usec();
    int64_t prompted = job->prompted ? job->prompted : now;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "stop_reason", stop_reason_name(reason));
    if (job->output.stop_string) {
        yyjson_mut_obj_add_str(doc, root, "stop_string", job->output.stop_string);
    }
    yyjson_mut_obj_add_uint(doc, root, "prompt_tokens", job->prompt_tokens);
    yyjson_mut_obj_add_uint(doc, root, "cached_tokens", job->cached_tokens);
    if (job->cache_source != CACHE_NONE) {
        yyjson_mut_obj_add_str(doc, root, "cache_source", cache_source_name(job->cache_source));
    }
    yyjson_mut_obj_add_str(doc, root, "cache_miss", cache_miss_name(job->cache_miss));
    yyjson_mut_obj_add_int(doc, root, "completion_tokens", job->completion_tokens);
    yyjson_mut_obj_add_int(doc, root, "reasoning_tokens", job->output.reasoning_tokens);
    add_draft(doc, root, job);
    yyjson_mut_obj_add_real(doc, root, "prompt_seconds", seconds(job->started, prompted));
    yyjson_mut_obj_add_real(doc, root, "generation_seconds", seconds(job->prompted, now));
    yyjson_mut_obj_add_real(doc, root, "time_to_first_token",
                            seconds(job->received, job->first_token));
    send_doc(link, MSG_DONE, job->id, doc);
}

void reply_memory(struct engine *engine) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "memory_bytes",
                            model_memory_bytes(&engine->model) +
                                drafter_memory_bytes(&engine->drafter));
    yyjson_mut_obj_add_uint(doc, root, "device_memory_bytes",
                            placement_bytes(engine->context.llama) +
                                model_adapter_device_bytes(&engine->model) +
                                drafter_device_bytes(&engine->drafter));
    yyjson_mut_obj_add_uint(doc, root, "reserved_bytes", engine->growth.reserved);
    yyjson_mut_obj_add_str(doc, root, "repack", repack_state_name(engine->repack.state));
    send_doc(&engine->link, MSG_MEMORY, 0, doc);
    engine->growth.unsettled = false;
}

/* The daemon kills a worker that sends JSON which it cannot read. */
static bool is_readable(const struct buf *json) {
    struct error ignored;
    yyjson_doc *doc = json_parse_object(buf_str(json), json->len, &ignored);
    yyjson_doc_free(doc);
    return doc != NULL;
}

bool reply_format_result(struct buf *out, yyjson_mut_doc *doc, yyjson_mut_val *result,
                         struct error *err) {
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "stop_reason", stop_reason_name(STOP_EOS));
    yyjson_mut_obj_add_val(doc, root, "result", result);
    bool ok = json_write(doc, out) && out->len <= FRAME_MAX_TO_DAEMON && is_readable(out);
    yyjson_mut_doc_free(doc);
    return ok || error_set(err, ERR_TOO_LARGE,
                           "The answer is too large to be sent at once; send less text.");
}

void reply_score(struct link *link, uint64_t request, float score) {
    link_send(link, MSG_VECTOR, request, &score, sizeof score);
}

void reply_vector(struct link *link, uint64_t request, const float *vector, size_t len) {
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
                   "the wire's floats are little endian");
    double sum = 0;
    for (size_t i = 0; i < len; i++) sum += (double)vector[i] * (double)vector[i];
    double scale = sum > 0 ? 1 / sqrt(sum) : 0;
    float *unit = xcalloc(len, sizeof *unit);
    for (size_t i = 0; i < len; i++) unit[i] = (float)((double)vector[i] * scale);
    link_send(link, MSG_VECTOR, request, unit, len * sizeof *unit);
    free(unit);
}
