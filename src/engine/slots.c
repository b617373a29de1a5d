/* SPDX-License-Identifier: MIT */
#include "engine/slots.h"

#include <string.h>

#include "base/clock.h"
#include "base/size.h"
#include "engine/cells.h"
#include "engine/constrained.h"
#include "engine/engine.h"
#include "engine/prefix.h"
#include "engine/prompt_cache.h"
#include "engine/prompt_room.h"
#include "engine/reply.h"
#include "engine/sequences.h"

enum { GROUP = 4 /* tokens */ };

enum { AHEAD = 64 /* tokens */, AHEAD_PAUSE = 1000000 /* us */ };

/* Sequences that remember by state, or in a window, have no cells that another could use too.
 */
static bool can_share(const struct engine *e) {
    return !e->model.remembers && e->model.window == 0;
}

static struct prefix_choice choose(const struct engine *e, const struct job *job) {
    struct prefix_slot view[LOAD_MAX_PARALLEL];
    for (int i = 0; i < e->context.parallel; i++) {
        const struct slot *s = &e->slots[i];
        view[i] = (struct prefix_slot){ .tokens = s->tokens.data,
                                        .count = s->secret ? 0 : s->processed,
                                        .free = s->job == NULL,
                                        .last_used = s->last_used,
                                        .key = s->cache_key };
    }
    bool share = can_share(e) && job->request.sampling.cache_prompt;
    const struct prefix_prompt prompt = { job->prompt.data, job->prompt.count,
                                          job->request.cache_key };
    return prefix_choose(view, e->context.parallel, &prompt, share);
}

/* ---- room by giving up what nobody works on ---- */

bool slots_run(const struct engine *engine) {
    for (int i = 0; i < engine->context.parallel; i++) {
        if (engine->slots[i].job) return true;
    }
    return false;
}

static struct slot *oldest_free(struct engine *e, const struct slot *a, const struct slot *b) {
    struct slot *oldest = NULL;
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (s == a || s == b || s->job || s->tokens.count == 0) continue;
        if (!oldest || s->last_used < oldest->last_used) oldest = s;
    }
    return oldest;
}

static void forget(struct engine *e, struct slot *s) {
    prompt_cache_put_aside(e, s, 0);
    s->processed = prompt_cache_cut(e, s, 0);
    s->saved = 0;
    tokens_cut(&s->tokens, 0);
    s->turn_due = false;
}

void slots_forget_idle(struct engine *engine, size_t count) {
    struct slot *old;
    size_t held = 0;
    for (int i = 0; i < engine->context.parallel; i++) held += engine->slots[i].tokens.count;
    while (held > count && (old = oldest_free(engine, NULL, NULL))) {
        held -= old->tokens.count;
        forget(engine, old);
    }
}

/* Tokens that are only remembered, but for the slot's own. */
static size_t spare_tokens(const struct engine *e, const struct slot *slot) {
    size_t tokens = 0;
    for (int i = 0; i < e->context.parallel; i++) {
        const struct slot *s = &e->slots[i];
        if (s != slot && !s->job) tokens += s->tokens.count;
    }
    return tokens;
}

static void no_room(const struct engine *e, const struct slot *slot, size_t count,
                    struct error *err) {
    const struct growth *g = &e->growth;
    size_t fit = cells_left(e, slot, count);
    char more[SIZE_TEXT], most[SIZE_TEXT], limit[SIZE_TEXT];
    size_format((count > fit ? count - fit : 0) * e->context.cell_bytes, more);
    size_format(g->granted > 0 ? g->granted : g->most, most);
    size_format(g->limit, limit);
    error_set(err, ERR_NO_MEMORY,
              "The request needs room for %zu tokens, but only %zu fit into the memory that is "
              "free (%s more are needed, %s are free%s%s)%s; shorten it, wait for others to "
              "end, or unload other models.",
              count, fit, more, most, g->limit > 0 ? ", memory_limit is " : "",
              g->limit > 0 ? limit : "", g->silent ? "; the server did not answer" : "");
}

static enum cells_answer provide(struct engine *engine, struct slot *slot,
                                 const struct slot *donor, size_t count, struct error *err) {
    for (;;) {
        enum cells_answer answer = cells_reserve(engine, slot, count,
                                                 spare_tokens(engine, slot));
        if (answer != CELLS_NO) return answer;
        struct slot *old = oldest_free(engine, slot, donor);
        if (!old) {
            no_room(engine, slot, count, err);
            return CELLS_NO;
        }
        forget(engine, old);
    }
}

/* A conversation that is only remembered never keeps a new one out (Memory, rule 1): if there
 * is no room for both, the new one continues in the slot whose beginning it would have
 * copied. */
static enum cells_answer provide_first(struct engine *e, struct prefix_choice *choice,
                                       size_t count, struct error *err) {
    const struct slot *donor = choice->donor < 0 ? NULL : &e->slots[choice->donor];
    enum cells_answer answer = provide(e, &e->slots[choice->slot], donor, count, err);
    if (answer != CELLS_NO) return answer;
    if (!donor || donor->job || choice->donor == choice->slot) return CELLS_NO;
    choice->slot = choice->donor;
    return provide(e, &e->slots[choice->slot], donor, count, err);
}

static struct slot *newest_running(struct engine *e) {
    struct slot *newest = NULL;
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (s->job && !s->held && (!newest || s->last_used > newest->last_used)) newest = s;
    }
    return newest;
}

/* Ask for the next cells while there are some left, so that no stream waits for the answer. */
static void ask_ahead(struct engine *e, const struct slot *newest) {
    size_t count = newest->tokens.count + AHEAD;
    int64_t now = clock_boottime_usec();
    if (count > (size_t)e->context.length) count = (size_t)e->context.length;
    if (now < e->growth.ahead_again || cells_suffice(e, newest, count)) return;
    if (cells_reserve(e, newest, count, spare_tokens(e, newest)) == CELLS_NO)
        e->growth.ahead_again = now + AHEAD_PAUSE;
}

/* Until the daemon has answered, the newest ones wait, and the others go on with the cells
 * there are. */
static void hold_newest(struct engine *e) {
    struct slot *newest;
    size_t held = 0, cells = (size_t)e->context.cells;
    for (int i = 0; i < e->context.parallel; i++) held += e->slots[i].tokens.count;
    while (held > cells && (newest = newest_running(e))) {
        newest->held = true;
        held -= newest->tokens.count - newest->processed;
    }
}

void slots_provide_next(struct engine *engine) {
    struct error err;
    for (int i = 0; i < engine->context.parallel; i++) engine->slots[i].held = false;
    struct slot *newest = newest_running(engine);
    if (newest) ask_ahead(engine, newest);
    while (newest) {
        enum cells_answer answer = provide(engine, newest, NULL, newest->tokens.count, &err);
        if (answer == CELLS_WAIT) hold_newest(engine);
        if (answer != CELLS_NO) return;
        if (newest->job->completion_tokens > 0) {
            slot_finish(engine, newest, STOP_CONTEXT);
        } else {
            slot_fail(engine, newest, &err);
        }
        newest = newest_running(engine);
    }
}

/* ---- a prompt's beginning ---- */

/* Make the sequence hold the first `count` tokens of what another slot holds. */
static size_t copy_prefix(struct engine *e, struct slot *s, int donor, size_t count) {
    (void)prompt_cache_cut(e, s, 0);
    if (donor < 0) return 0;
    llama_memory_seq_cp(e->context.memory, e->slots[donor].seq, s->seq, 0, (llama_pos)count);
    return count;
}

/* From the store, if that holds more of the prompt than `have` tokens. How many tokens the
 * sequence holds then; 0: it has been left as it was or, if *ret_emptied, a load failed. */
static size_t load_prefix(struct engine *e, struct slot *s, size_t have,
                          enum cache_source *ret_source, bool *ret_emptied) {
    struct cached_prompt cached;
    *ret_emptied = false;
    if (!prompt_cache_find(e, &s->job->prompt, have, &cached)) return 0;
    size_t loaded = 0;
    if (cells_suffice(e, s, cached.match.entry->tokens.count)) {
        loaded = prompt_cache_load(e, s, &cached);
        *ret_emptied = loaded == 0;
        if (loaded > 0) *ret_source = cached.source;
    }
    prompt_cache_return(e, &cached);
    return loaded;
}

/* Bring as much of the prompt's beginning into the sequence as this slot, another one or the
 * store holds. How many tokens that is. */
static size_t take_prefix(struct engine *e, struct slot *s, struct prefix_choice choice,
                          enum cache_source *ret_source) {
    bool own = choice.donor == (int)(s - e->slots), emptied;
    size_t have = own ? prompt_cache_usable(e, s, choice.count) : choice.count;
    prompt_cache_put_aside(e, s, own ? have : 0);
    size_t loaded = load_prefix(e, s, have, ret_source, &emptied);
    if (loaded > 0) return loaded;
    if (!own || s->saved > have) s->saved = own ? have : 0;
    if (own && emptied) have = 0;
    have = own ? prompt_cache_cut(e, s, have) : copy_prefix(e, s, choice.donor, have);
    if (have > 0) *ret_source = CACHE_SLOT;
    return have;
}

/* Does attention compute PROMPT_PIECE tokens at once, and is nobody else's answer being
 * written, beside which the pieces are smaller? */
static bool computes_pieces(const struct engine *e, const struct slot *s) {
    for (int i = 0; i < e->context.parallel; i++) {
        if (e->slots[i].job && &e->slots[i] != s) return false;
    }
    return context_tiles(&e->context);
}

/*
 * Keep of the beginning as much as lets the kernels compute the rest well.
 *
 * Those for 4-bit weights compute the tokens of a batch in groups of GROUP, and those that are
 * left over one by one, which rounds in another way. If the part that is reused ends with a
 * whole group, the rest is computed as the first time, and the answer is the same. For those
 * of attention see prompt_keep().
 */
static size_t keep_for_kernels(struct engine *e, struct slot *s, size_t have) {
    size_t whole = have;
    if (computes_pieces(e, s)) whole = prompt_keep(have, s->job->prompt.count - have);
    whole -= whole % GROUP;
    s->processed = have; /* which decides what can be cut */
    if (whole == have || prompt_cache_usable(e, s, whole) != whole) return have;
    if (s->saved > whole) s->saved = whole;
    return prompt_cache_cut(e, s, whole);
}

/* ... and ends in no picture: a piece of one that a number happens to fit to is not the same.
 */
static size_t keep_whole_pictures(struct engine *e, struct slot *s, size_t have) {
    const struct picture_spans *pictures = &s->job->pictures;
    while (picture_spans_floor(pictures, have) < have) {
        s->processed = have;
        have = prompt_cache_cut(e, s,
                                prompt_cache_usable(e, s, picture_spans_floor(pictures, have)));
        if (s->saved > have) s->saved = have;
    }
    return have;
}

static void set_prompt(struct slot *s, size_t processed, bool secret) {
    s->processed = processed;
    s->secret = secret;
    tokens_cut(&s->tokens, 0);
    tokens_append(&s->tokens, s->job->prompt.data, s->job->prompt.count);
}

/* What is left after the cut is processed again: its positions are others, and so is what every
 * later token has seen. Nothing of it can serve another prompt. */
void slot_make_room(struct engine *e, struct slot *s) {
    struct job *job = s->job;
    tokens_cut(&job->prompt, 0);
    tokens_append(&job->prompt, s->tokens.data, s->tokens.count);
    job->prompt.count = overflow_cut(job->request.overflow, job->prompt.data, job->prompt.count,
                                     overflow_room((size_t)e->context.length));
    (void)prompt_cache_cut(e, s, 0);
    set_prompt(s, 0, true);
    prompt_cache_set_marks(e, s);
}

static enum cache_miss miss_of(const struct engine *e, const struct job *job,
                               struct prompt_kin kin, uint64_t lost) {
    size_t cached = job->cached_tokens;
    if (!job->request.sampling.cache_prompt) return CACHE_MISS_OFF;
    if (cached + GROUP >= job->prompt.count) return CACHE_MISS_NOTHING;
    if (kin.common == 0) return e->store.others > 0 ? CACHE_MISS_SETTINGS : CACHE_MISS_NEW;
    if (cached + GROUP >= kin.common)
        return kin.parts ? CACHE_MISS_DIFFERS : CACHE_MISS_NOTHING;
    return e->store.lost > lost ? CACHE_MISS_EVICTED : CACHE_MISS_STATE;
}

/* How many of the prompt's tokens need not be processed, and where they were. The tokens of an
 * answer were computed one by one at first, and none of them is again. */
static size_t place_prompt(struct engine *e, struct slot *s, struct prefix_choice choice,
                           enum cache_source *ret_source) {
    bool said = s->job->completion_tokens > 0;
    bool reuse = s->job->request.sampling.cache_prompt;
    size_t processed = 0;
    *ret_source = CACHE_NONE;
    if (reuse) {
        processed = take_prefix(e, s, choice, ret_source);
        if (!said) processed = keep_for_kernels(e, s, processed);
        processed = keep_whole_pictures(e, s, processed);
        if (processed == 0) *ret_source = CACHE_NONE;
    } else {
        prompt_cache_put_aside(e, s, 0);
        (void)prompt_cache_cut(e, s, 0);
    }
    set_prompt(s, processed, !reuse);
    prompt_cache_set_marks(e, s);
    return processed;
}

/* The answer was put aside: its text so far becomes its prompt. */
static void go_on(struct engine *e, struct slot *s, struct prefix_choice choice) {
    enum cache_source source;
    (void)place_prompt(e, s, choice, &source);
}

static void begin_generation(struct engine *e, struct slot *s, struct prefix_choice choice) {
    struct job *job = s->job;
    struct prompt_kin kin = { 0 };
    uint64_t lost = e->store.lost;
    if (job->request.sampling.cache_prompt) kin = prompt_cache_kin(e, &job->prompt);
    job->cached_tokens = place_prompt(e, s, choice, &job->cache_source);
    job->cache_miss = miss_of(e, job, kin, lost);
    job->cache_common = kin.common;
    reply_started(&e->link, job);
    if (!job->request.echo) return;
    const struct input *prompt = job->request.inputs;
    if (prompt->text) {
        output_echo(&job->output, prompt->text, prompt->len);
        return;
    }
    struct buf text = BUF_INIT(64 << 20);
    for (size_t i = 0; i < prompt->count; i++) {
        tokens_piece(&text, e->model.vocab, prompt->tokens[i], true);
    }
    output_echo(&job->output, buf_str(&text), text.len);
    buf_clear(&text);
}

/* A generative model's vector of a text is what it makes of the last token, which has seen all.
 */
void slot_next_input(struct engine *engine, struct slot *slot) {
    struct job *job = slot->job;
    if (job->next_input == job->request.input_count) {
        slot_finish(engine, slot, STOP_EOS);
        return;
    }
    job_next_input(job, job->next_input++);
    (void)prompt_cache_cut(engine, slot, 0);
    set_prompt(slot, 0, true);
    prompt_cache_set_marks(engine, slot);
}

/* Does the prompt begin with most of what the slot has? */
static bool begins_with(const struct job *job, const struct slot *s) {
    size_t count = s->processed < job->prompt.count ? s->processed : job->prompt.count;
    return 2 * prefix_common(s->tokens.data, count, job->prompt.data, count) >= s->processed;
}

/* An answer that is alone has the cells for itself: what is only remembered would be looked at
 * for each of its tokens. What the prompt begins with stays, and what no store would have. */
static void clear_cells(struct engine *e, const struct slot *s, const struct job *job,
                        struct prefix_choice choice) {
    for (int i = 0; i < e->context.parallel && !slots_run(e); i++) {
        struct slot *other = &e->slots[i];
        if (other == s || i == choice.donor || begins_with(job, other)) continue;
        if (other->secret || prompt_cache_takes(e, other)) forget(e, other);
    }
}

static void slot_start(struct engine *e, struct slot *s, struct job *job,
                       struct prefix_choice choice) {
    clear_cells(e, s, job, choice);
    s->job = job;
    s->cache_key = job->request.cache_key;
    s->turn_due = false;
    s->last_used = ++e->counter;
    bool goes_on = job->started != 0;
    if (!goes_on) job->drafts.rest = job->drafts.next_rest = e->drafter.rest;
    if (!goes_on) job->started = clock_boottime_usec();
    if (job->request.op != REQUEST_EMBEDDING) {
        constrained_begin(e, job);
        if (goes_on)
            go_on(e, s, choice);
        else
            begin_generation(e, s, choice);
        return;
    }
    prompt_cache_put_aside(e, s, 0);
    reply_started(&e->link, job);
    slot_next_input(e, s);
}

/* Is a slot processing this very prompt? Its cells are shared when it is through, so that
 * several answers to one prompt cost one processing. */
static bool is_being_processed(const struct engine *e, const struct job *job) {
    const struct tokens *prompt = &job->prompt;
    if (!can_share(e) || !job->request.sampling.cache_prompt) return false;
    for (int i = 0; i < e->context.parallel; i++) {
        const struct slot *s = &e->slots[i];
        if (!s->job || s->job->paused_since || s->secret || s->tokens.count != prompt->count ||
            s->processed == prompt->count)
            continue;
        size_t size = prompt->count * sizeof *prompt->data;
        if (memcmp(s->tokens.data, prompt->data, size) == 0) return true;
    }
    return false;
}

/* ---- readers that do not read ---- */

/* Can its text so far be the prompt with which it goes on? Not while a token is judged, nor if
 * its grammar cannot be told what it has said. */
static bool can_go_aside(const struct slot *s) {
    const struct job *job = s->job;
    if (!job || !job->paused_since || job->request.op == REQUEST_EMBEDDING) return false;
    if (!constrained_is(job)) return true;
    size_t said = job->prompt_tokens + (size_t)job->completion_tokens;
    return !job->constraint.waits && s->tokens.count == said;
}

/* The slot that has waited for its client for longest. */
static struct slot *least_read(struct engine *e) {
    struct slot *least = NULL;
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (!can_go_aside(s)) continue;
        if (!least || s->job->paused_since < least->job->paused_since) least = s;
    }
    return least;
}

/* Drop what was not processed; the rest may serve the next prompt. */
static void leave(struct engine *e, struct slot *s) {
    s->job = NULL;
    s->last_used = ++e->counter;
    if (s->processed < s->tokens.count) tokens_cut(&s->tokens, s->processed);
}

/* False: all clients read. */
static bool put_one_aside(struct engine *e) {
    struct slot *s = least_read(e);
    if (!s) return false;
    struct job *job = s->job;
    tokens_cut(&job->prompt, 0);
    tokens_append(&job->prompt, s->tokens.data, s->tokens.count);
    constrained_leave(job);
    leave(e, s);
    job_queue_add(&e->aside, job);
    return true;
}

/* ---- admission ---- */

/* There is no memory for the job: it fails, unless it was put aside; then it waits until
 * others have ended. */
static bool turn_away(struct engine *e, struct job *job, const struct error *err) {
    if (job->started && slots_run(e)) {
        job_queue_insert(&e->queue, job);
        return false;
    }
    reply_error(&e->link, job->id, err);
    job_free(job);
    return true;
}

void slots_admit(struct engine *engine) {
    while (engine->queue.first) {
        struct job *job = engine->queue.first;
        struct error err;
        if (job->request.op == REQUEST_EMBEDDING && job->prompt.count == 0)
            job_next_input(job, 0);
        struct prefix_choice choice = choose(engine, job);
        if (is_being_processed(engine, job)) return;
        if (choice.slot < 0 && put_one_aside(engine)) choice = choose(engine, job);
        if (choice.slot < 0 || !sequences_admit(engine, !slots_run(engine))) return;
        enum cells_answer room = provide_first(engine, &choice, job->prompt.count, &err);
        if (room == CELLS_WAIT) return;
        (void)job_queue_take(&engine->queue, &engine->queue.first);
        if (room == CELLS_NO) {
            if (turn_away(engine, job, &err)) continue;
            return;
        }
        slot_start(engine, &engine->slots[choice.slot], job, choice);
    }
}

struct slot *slots_find(struct engine *engine, uint64_t request) {
    for (int i = 0; i < engine->context.parallel; i++) {
        struct slot *s = &engine->slots[i];
        if (s->job && s->job->id == request) return s;
    }
    return NULL;
}

static void release(struct engine *e, struct slot *s) {
    job_free(s->job);
    leave(e, s);
}

/* The next turn may begin behind this answer (next_turn.h); if the next prompt goes on
 * otherwise, that has to be cut off again. */
static void note_turn(const struct engine *e, struct slot *s) {
    if (!s->job->chat || s->secret || !can_share(e)) return;
    size_t due = s->tokens.count - s->processed;
    s->turn_due = due <= 1;
    s->unprocessed = due == 1 ? s->tokens.data[s->processed] : LLAMA_TOKEN_NULL;
}

void slot_finish(struct engine *engine, struct slot *slot, enum stop_reason reason) {
    struct job *job = slot->job;
    bool complete = reason == STOP_EOS || reason == STOP_STRING;
    output_end(&job->output, complete);
    if (complete && job->chat && chat_has_calls(job->chat)) reason = STOP_TOOL_CALLS;
    reply_done(&engine->link, job, reason);
    if (reason != STOP_STRING) note_turn(engine, slot);
    release(engine, slot);
}

void slot_fail(struct engine *engine, struct slot *slot, const struct error *err) {
    reply_error(&engine->link, slot->job->id, err);
    release(engine, slot);
}

void slot_restore(struct engine *engine, struct slot *slot) {
    slot->processed = prompt_cache_cut(engine, slot, slot->processed);
}
