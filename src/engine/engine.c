/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "engine/cells.h"
#include "engine/decode.h"
#include "engine/dispatch.h"
#include "engine/embed.h"
#include "engine/log_capture.h"
#include "engine/next_turn.h"
#include "engine/prompt_cache.h"
#include "engine/sandbox_denied.h"

/* How often the socket is looked at while a batch is computed, and what counts as a long one.
 */
enum { LOOK_USEC = 5000, HEARTBEAT_USEC = 1000000, LONG_BATCH = 32 };

bool engine_has_work(const struct engine *e) {
    if (e->queue.first || e->aside.first || preparation_has_work(e)) return true;
    for (int i = 0; i < e->context.parallel; i++) {
        if (e->slots[i].job) return true;
    }
    return false;
}

static void heartbeat(struct engine *e, int64_t now) {
    if (now - e->last_heartbeat < HEARTBEAT_USEC) return;
    e->last_heartbeat = now;
    link_send(&e->link, MSG_HEARTBEAT, 0, NULL, 0);
}

/* ---- while a batch is computed ---- */

/* The next turn is processed for the client's next request, which would otherwise wait for
 * it. */
static bool lets_finish(const struct frame *end) {
    struct error err;
    yyjson_doc *doc = json_parse_object(end->payload, end->len, &err);
    bool finish = yyjson_get_bool(yyjson_obj_get(yyjson_doc_get_root(doc), "finish"));
    yyjson_doc_free(doc);
    return finish;
}

static bool ends_batch(void *ctx, const struct frame *frame) {
    struct engine *e = ctx;
    bool ends = frame->type == MSG_STOP || frame->type == MSG_PARK;
    if (ends && e->ahead && lets_finish(frame)) return false;
    if (frame->type == MSG_PARK) return true;
    if (frame->type == MSG_STOP) {
        if (e->store.mode != PROMPT_STORE_ON) {
            preparers_end(&e->preparers);
            _exit(0);
        }
        return true; /* what has been processed is saved first */
    }
    if (e->ahead) return true;
    if (frame->type != MSG_CANCEL) return false;
    if (e->model.embeds) return e->embedding == frame->request;
    if (e->encoding) return e->encoding == frame->request;
    const struct slot *slot = slots_find(e, frame->request);
    return slot && e->batch.n_tokens > LONG_BATCH && 2 * slot->in_batch > e->batch.n_tokens;
}

/* Called by ggml on this thread before every node of the graph (CPU only), and by a projector
 * after the slow ones. True gives the batch up, which pays for a cancelled request that has
 * most of it; the frame itself is obeyed later. */
static bool batch_on_node(void *ctx) {
    struct engine *e = ctx;
    int64_t now = clock_boottime_usec();
    cpu_threads_look_around(&e->cpu, now);
    if (now - e->last_look < LOOK_USEC) return false;
    e->last_look = now;
    heartbeat(e, now);
    if (!link_fill(&e->link)) _exit(0); /* the daemon is gone */
    bool ends = link_peek(&e->link, ends_batch, e);
    if (ends) log_capture_mute(true);
    return ends;
}

static void watch_batches(struct engine *e, struct context *context) {
    llama_set_abort_callback(context->llama, batch_on_node, e);
    context->params.abort_callback = batch_on_node; /* also of one that takes its place */
    context->params.abort_callback_data = e;
}

/* ---- life ---- */

void engine_init(struct engine *engine) {
    job_queue_init(&engine->queue);
    job_queue_init(&engine->aside);
    cpu_threads_init(&engine->cpu);
    engine->last_heartbeat = engine->last_work = clock_boottime_usec();
    for (int i = 0; i < engine->context.parallel; i++) {
        engine->slots[i] = (struct slot){ .seq = i, .result = -1, .drafting = -1 };
    }
    engine->batch = llama_batch_init(engine->context.batch, 0, 1);
    candidates_init(&engine->candidates, engine->model.vocab_size);
    watch_batches(engine, &engine->context);
    if (engine->drafter.model.weights) watch_batches(engine, &engine->drafter.context);
}

void engine_drop_work(struct engine *engine) {
    preparation_clear(engine);
    while (engine->queue.first) {
        job_free(job_queue_take(&engine->queue, &engine->queue.first));
    }
    while (engine->aside.first) {
        job_free(job_queue_take(&engine->aside, &engine->aside.first));
    }
    for (int i = 0; i < engine->context.parallel; i++) {
        if (engine->slots[i].job) job_free(engine->slots[i].job);
        engine->slots[i].job = NULL;
        tokens_clear(&engine->slots[i].tokens);
    }
    llama_batch_free(engine->batch);
    engine->batch = (struct llama_batch){ 0 };
    candidates_clear(&engine->candidates);
}

void engine_clear(struct engine *engine) {
    engine_drop_work(engine);
    drafter_clear(&engine->drafter);
    tokens_clear(&engine->next_turn.tokens);
    prompt_cache_close(engine);
    buf_clear(&engine->link.in);
    buf_clear(&engine->link.out);
}

static void report_denied(struct engine *e) {
    int number;
    char text[160];
    while (sandbox_denied_take(&number)) {
        int len = snprintf(text, sizeof text,
                           "The sandbox has denied the system call %d (syscalls(2)), %u times "
                           "so far.",
                           number, sandbox_denied_count(number));
        link_send_warning(&e->link, text, (size_t)len);
    }
}

/* One batch, or nothing because all that could run is paused. */
static bool work(struct engine *e) {
    if (e->model.embeds) return embed_step(e);
    slots_admit(e);
    return decode_step(e);
}

/* -1: never. */
static int sooner(int a, int b) {
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static void wait_for_news(struct engine *e, int timeout_ms) {
    struct pollfd others[PREPARERS_MAX + 1];
    _Static_assert(PREPARERS_MAX + 1 <= LINK_MAX_OTHERS, "there is room for all");
    link_wait(&e->link, others, preparers_polls(&e->preparers, others), timeout_ms);
}

/* Without work: what is due, or wait for more work. */
static void rest(struct engine *e) {
    if (next_turn_due(e)) {
        next_turn_begin(e);
        return;
    }
    int save = prompt_cache_due(e), shrink = cells_due(e, e->last_work);
    int answer = growth_timeout(e);
    if (save == 0) {
        prompt_cache_save_idle(e);
    } else if (shrink == 0) {
        cells_shrink(e);
    } else {
        wait_for_news(e, sooner(answer, sooner(save, shrink)));
    }
}

static void finish_next_turn(struct engine *e, const struct frame *end) {
    bool finish = e->store.mode == PROMPT_STORE_ON && !engine_has_work(e) && lets_finish(end);
    while (finish && next_turn_due(e)) next_turn_begin(e);
}

static enum engine_order take_frames(struct engine *e) {
    struct frame frame;
    if (!link_fill(&e->link)) return ENGINE_LEFT;
    while (link_next(&e->link, &frame)) {
        enum engine_order order = dispatch_frame(e, &frame);
        if (order == ENGINE_GO_ON) continue;
        finish_next_turn(e, &frame);
        return order;
    }
    return ENGINE_GO_ON;
}

enum engine_order engine_run(struct engine *engine) {
    bool waited = true;
    for (;;) {
        enum engine_order order = take_frames(engine);
        if (order != ENGINE_GO_ON) return order;
        if (!preparers_look(&engine->preparers, waited)) return ENGINE_LEFT;
        preparation_step(engine);
        decode_settle(engine);
        repack_step(engine);
        report_denied(engine);
        bool busy = engine_has_work(engine);
        if (busy) {
            engine->last_work = clock_boottime_usec();
            heartbeat(engine, engine->last_work);
        }
        waited = !(busy && work(engine));
        growth_settle(engine);
        if (!waited) continue;
        if (engine_has_work(engine)) {
            wait_for_news(engine, preparation_timeout(engine, HEARTBEAT_USEC / 1000));
        } else {
            rest(engine);
        }
    }
}
