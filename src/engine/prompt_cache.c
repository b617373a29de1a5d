/* SPDX-License-Identifier: MIT */
#include "engine/prompt_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/xalloc.h"
#include "engine/fingerprint.h"
#include "engine/prefix.h"
#include "engine/sequences.h"
#include "prompts/saving.h"

/* A slot that loses fewer tokens than this is not saved. */
enum { WORTH_TOKENS = 64 };

/* So much is copied in about a millisecond. */
enum { QUICK_BYTES = 4 << 20 };

/* After STOP the daemon waits 10 s. */
enum { STOP_USEC = 8000000 };

/* No larger part of a state is copied for a checkpoint. */
enum { CHECKPOINT_MOST = 64 << 20 };

static struct store_cut rule(const struct engine *e) {
    if (e->model.remembers) return (struct store_cut){ 0 };
    return (struct store_cut){ .anywhere = e->model.window == 0, .window = e->model.window };
}

/* ---- life ---- */

void prompt_cache_open(struct engine *engine, const struct load_message *request) {
    const struct load_prompts *p = &request->prompts;
    enum prompt_store_mode mode = p->mode;
    unsigned char fingerprint[FINGERPRINT_SIZE] = { 0 };
    if (engine->model.embeds || !engine->context.memory) mode = PROMPT_STORE_OFF;
    if (mode == PROMPT_STORE_ON &&
        !fingerprint_make(&engine->model, &engine->context, request, fingerprint)) {
        mode = PROMPT_STORE_MEMORY; /* the file is gone: nothing can be said about
                                       it */
    }
    store_init(&engine->store, mode, p->dir ? p->dir : "", (uint64_t)p->memory_bytes);
    store_set_fingerprint(&engine->store, fingerprint);
}

void prompt_cache_close(struct engine *engine) {
    for (int i = 0; i < LOAD_MAX_PARALLEL; i++)
        checkpoints_cut(&engine->slots[i].checkpoints, 0);
    store_clear(&engine->store);
}

void prompt_cache_rest(struct engine *engine) {
    for (int i = 0; i < LOAD_MAX_PARALLEL; i++)
        checkpoints_cut(&engine->slots[i].checkpoints, 0);
    store_rest(&engine->store);
    engine->store_told = 0;
}

static bool is_forget(void *ctx, const struct frame *frame) {
    (void)ctx;
    return frame->type == MSG_FORGET;
}

/* After STOP only this reads the socket. */
static bool told_to_forget(struct engine *e) {
    (void)!link_fill(&e->link); /* the daemon may be gone; what it has said counts */
    return link_peek(&e->link, is_forget, NULL);
}

/* What is to be forgotten need not be saved. */
static void warn_once(struct engine *e, const struct error *err) {
    if (e->store_warned || told_to_forget(e)) return;
    e->store_warned = true;
    link_send_warning(&e->link, err->text, strlen(err->text));
}

static void tell(struct engine *e) {
    const struct store *store = &e->store;
    uint64_t told = store->hits + store->saves + store->count;
    if (told == e->store_told || store->mode == PROMPT_STORE_OFF) return;
    e->store_told = told;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "entries", store->count);
    yyjson_mut_obj_add_uint(doc, root, "bytes", store_disk_bytes(store));
    yyjson_mut_obj_add_uint(doc, root, "memory_bytes", store->memory);
    yyjson_mut_obj_add_uint(doc, root, "hits", store->hits);
    link_send_doc(&e->link, MSG_STORE, doc);
}

/* ---- from the context ---- */

/* Append the slot's checkpoints to the body; those that are not shorter than the sequence are
 * useless. */
static void fill_checkpoints(struct store_entry *entry, const struct slot *s) {
    unsigned char *at = entry->body + entry->header.state_bytes;
    for (int i = 0; i < s->checkpoints.count; i++) {
        const struct checkpoint *c = &s->checkpoints.items[i];
        if (c->tokens >= s->processed) break;
        memcpy(at, c->data, c->bytes);
        at += c->bytes;
        entry->header.checkpoints[entry->header.checkpoint_count++] =
            (struct entry_checkpoint){ .tokens = c->tokens, .bytes = c->bytes };
    }
}

/* The sequence as an entry; NULL if there is no memory for it, or its size is not as
 * expected. */
static struct store_entry *capture(struct engine *e, struct slot *s) {
    struct llama_context *llama = e->context.llama;
    sequences_focus(e, s);
    if (llama_memory_seq_pos_max(e->context.memory, s->seq) + 1 != (llama_pos)s->processed) {
        return NULL;
    }
    size_t size = llama_state_seq_get_size(llama, s->seq), total = size;
    for (int i = 0; i < s->checkpoints.count; i++) total += s->checkpoints.items[i].bytes;
    unsigned char *body = size > 0 ? malloc(total) : NULL;
    if (!body || llama_state_seq_get_data(llama, body, size, s->seq) != size) {
        free(body);
        return NULL;
    }
    struct store_entry *entry = xcalloc(1, sizeof *entry);
    tokens_append(&entry->tokens, s->tokens.data, s->processed);
    entry->body = body;
    entry->header.state_bytes = size;
    fill_checkpoints(entry, s);
    return entry;
}

static bool wanted(const struct engine *e, const struct slot *s) {
    return e->store.mode != PROMPT_STORE_OFF && !s->secret &&
           store_wants(&e->store, s->tokens.data, s->processed, rule(e));
}

/* Into the store's memory, which takes a quarter of what the machine has left at most, and
 * nothing where the daemon has refused more. */
static bool put(struct engine *e, struct slot *s) {
    struct error err;
    uint64_t share = e->growth.tight ? 0 : memory_available() / 4, before = e->store.memory;
    e->store.memory_limit = share < e->store.memory_most ? share : e->store.memory_most;
    struct store_entry *entry = capture(e, s);
    if (!entry) return false;
    if (!store_put(&e->store, entry, &err)) warn_once(e, &err);
    if (e->store.memory != before) e->growth.unsettled = true;
    return true;
}

bool prompt_cache_takes(const struct engine *engine, const struct slot *slot) {
    const struct store *store = &engine->store;
    uint64_t bytes = engine->context.cell_bytes * slot->processed;
    return slot->processed >= WORTH_TOKENS && store->mode != PROMPT_STORE_OFF &&
           !engine->growth.tight && bytes <= QUICK_BYTES &&
           store->memory + bytes <= store->memory_limit;
}

void prompt_cache_leave_memory(struct engine *engine) {
    struct error err;
    if (engine->store.mode == PROMPT_STORE_OFF) return;
    if (!store_limit_memory(&engine->store, 0, &err)) warn_once(engine, &err);
}

void prompt_cache_put_aside(struct engine *engine, struct slot *slot, size_t kept) {
    assert(kept <= slot->processed);
    if (slot->processed - kept < WORTH_TOKENS || !wanted(engine, slot)) return;
    (void)put(engine, slot);
}

/* ---- into the context ---- */

/* The part that cannot be cut, as it was; then all behind it can go. */
static bool rewind_to(struct engine *e, const struct slot *s, const unsigned char *data,
                      size_t bytes, size_t count) {
    return llama_state_seq_set_data_ext(e->context.llama, data, bytes, s->seq,
                                        LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY) == bytes &&
           llama_memory_seq_rm(e->context.memory, s->seq, (llama_pos)count, -1);
}

static bool insert(struct engine *e, const struct slot *s, const struct store_match *m,
                   const unsigned char *body) {
    const struct store_entry *entry = m->entry;
    llama_memory_t memory = e->context.memory;
    size_t size = entry->header.state_bytes;
    (void)llama_memory_seq_rm(memory, s->seq, -1, -1);
    bool ok = llama_state_seq_set_data(e->context.llama, body, size, s->seq) == size;
    if (ok && m->checkpoint >= 0) {
        ok = rewind_to(e, s,
                       body + entry_checkpoint_offset(&entry->header, (uint32_t)m->checkpoint),
                       entry->header.checkpoints[m->checkpoint].bytes, m->count);
    } else if (ok && m->count < entry->tokens.count) {
        ok = llama_memory_seq_rm(memory, s->seq, (llama_pos)m->count, -1);
    }
    ok = ok && llama_memory_seq_pos_max(memory, s->seq) + 1 == (llama_pos)m->count;
    if (!ok) (void)llama_memory_seq_rm(memory, s->seq, -1, -1);
    return ok;
}

/* The entry's checkpoints become the slot's. */
static void adopt_checkpoints(struct slot *s, const struct store_match *m,
                              const unsigned char *body) {
    const struct entry_header *h = &m->entry->header;
    checkpoints_cut(&s->checkpoints, 0);
    for (uint32_t i = 0; i < h->checkpoint_count && h->checkpoints[i].tokens <= m->count; i++) {
        struct checkpoint c = { .tokens = h->checkpoints[i].tokens,
                                .bytes = h->checkpoints[i].bytes };
        c.data = malloc(c.bytes);
        if (!c.data) return;
        memcpy(c.data, body + entry_checkpoint_offset(h, i), c.bytes);
        checkpoints_add(&s->checkpoints, c);
    }
}

static void scan(struct engine *e) {
    if (!e->store.scanned) store_scan(&e->store);
}

struct prompt_kin prompt_cache_kin(struct engine *engine, const struct tokens *prompt) {
    struct prompt_kin kin = { 0 };
    if (engine->store.mode != PROMPT_STORE_OFF) scan(engine);
    kin.common = store_common(&engine->store, prompt->data, prompt->count, &kin.parts);
    for (int i = 0; i < engine->context.parallel; i++) {
        const struct slot *s = &engine->slots[i];
        if (s->secret) continue;
        size_t common = prefix_common(s->tokens.data, s->processed, prompt->data,
                                      prompt->count - 1);
        bool parts = common < s->processed;
        if (common > kin.common || (common == kin.common && !parts)) kin.parts = parts;
        if (common > kin.common) kin.common = common;
    }
    return kin;
}

static bool is_read_sooner(const struct engine *e, const struct store_match *m, size_t have,
                           int64_t now) {
    return reading_pays(&e->reading, entry_file_size(&m->entry->header), m->count - have,
                        e->prompt_speed, now);
}

/* From the disk into the context. */
static void note_reading(struct engine *e, const struct cached_prompt *cached) {
    int64_t now = clock_boottime_usec();
    if (cached->source != CACHE_DISK) return;
    reading_note(&e->reading, entry_file_size(&cached->match.entry->header),
                 now - cached->since, now);
}

bool prompt_cache_find(struct engine *engine, const struct tokens *prompt, size_t have,
                       struct cached_prompt *ret) {
    struct store *store = &engine->store;
    if (store->mode == PROMPT_STORE_OFF) return false;
    scan(engine);
    for (;;) {
        struct store_match m = store_find(store, prompt->data, prompt->count, rule(engine));
        if (!m.entry || !store_gains(&m, have)) return false;
        enum cache_source source = m.entry->body ? CACHE_MEMORY : CACHE_DISK;
        int64_t since = clock_boottime_usec();
        if (source == CACHE_DISK && !is_read_sooner(engine, &m, have, since)) return false;
        const unsigned char *body = store_borrow(store, m.entry);
        if (!body) continue; /* its file was damaged or gone, and the entry with it */
        *ret = (struct cached_prompt){
            .match = m, .body = body, .source = source, .since = since
        };
        return true;
    }
}

size_t prompt_cache_load(struct engine *engine, struct slot *slot,
                         const struct cached_prompt *cached) {
    const struct store_match *m = &cached->match;
    if (!insert(engine, slot, m, cached->body)) {
        checkpoints_cut(&slot->checkpoints, 0);
        return 0;
    }
    note_reading(engine, cached);
    adopt_checkpoints(slot, m, cached->body);
    slot->saved = m->count == m->entry->tokens.count ? m->count : 0;
    store_touch(&engine->store, m->entry);
    tell(engine);
    return m->count;
}

void prompt_cache_return(struct engine *engine, const struct cached_prompt *cached) {
    store_return(&engine->store, cached->match.entry, cached->body);
}

/* ---- a slot's own beginning ---- */

/* Of a restored sequence only the last part of a sliding window is there. */
static bool cuts(const struct engine *e, const struct slot *s, size_t count) {
    if (count == 0 || count == s->processed) return true;
    if (e->model.remembers) return false;
    llama_pos window = e->model.window, needed = (llama_pos)count - window;
    return window == 0 || needed < 0 ||
           llama_memory_seq_pos_min(e->context.memory, s->seq) <= needed;
}

size_t prompt_cache_usable(const struct engine *engine, const struct slot *slot,
                           size_t common) {
    if (cuts(engine, slot, common)) return common;
    const struct checkpoint *before = checkpoints_before(&slot->checkpoints, common);
    return before ? before->tokens : 0;
}

size_t prompt_cache_cut(struct engine *engine, struct slot *slot, size_t count) {
    const struct checkpoint *before = checkpoints_before(&slot->checkpoints, count);
    bool ok = false;
    if (!cuts(engine, slot, count) && before && before->tokens == count) {
        ok = rewind_to(engine, slot, before->data, before->bytes, count);
        if (!ok) (void)context_keep(&engine->context, &engine->model, slot->seq, 0);
    } else {
        ok = context_keep(&engine->context, &engine->model, slot->seq, count);
    }
    if (!ok) count = 0;
    checkpoints_cut(&slot->checkpoints, count);
    return count;
}

/* ---- checkpoints ---- */

static void take_checkpoint(struct engine *e, struct slot *s) {
    const llama_state_seq_flags partial = LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY;
    size_t size = llama_state_seq_get_size_ext(e->context.llama, s->seq, partial);
    if (size == 0 || size > CHECKPOINT_MOST) return;
    unsigned char *data = malloc(size);
    if (!data) return;
    if (llama_state_seq_get_data_ext(e->context.llama, data, size, s->seq, partial) != size) {
        free(data);
        return;
    }
    checkpoints_add(&s->checkpoints, (struct checkpoint){ s->processed, size, data });
}

/* Most tokens that the slot's prompt shares with any other. */
static size_t most_common(const struct engine *e, const struct slot *slot) {
    const struct tokens *prompt = &slot->job->prompt;
    bool parts;
    size_t most = store_common(&e->store, prompt->data, prompt->count, &parts);
    for (int i = 0; i < e->context.parallel; i++) {
        const struct slot *s = &e->slots[i];
        if (s == slot || s->secret) continue;
        size_t common = prefix_common(s->tokens.data, s->processed, prompt->data,
                                      prompt->count - 1);
        if (common > most) most = common;
    }
    return most;
}

void prompt_cache_set_marks(struct engine *engine, struct slot *slot) {
    size_t end = slot->job->prompt.count;
    struct store_cut cut = rule(engine);
    slot->marks[0] = slot->marks[1] = 0;
    if (cut.anywhere || slot->secret || engine->store.mode == PROMPT_STORE_OFF) return;
    if (end < STORE_LEAST_TOKENS || end <= (size_t)cut.window) return;
    struct checkpoint_marks marks = checkpoints_plan(&slot->checkpoints, slot->processed,
                                                     most_common(engine, slot), end);
    memcpy(slot->marks, marks.places, sizeof slot->marks);
    if (marks.now) take_checkpoint(engine, slot);
}

size_t prompt_cache_until_mark(const struct slot *slot, size_t count) {
    for (int i = 0; i < 2; i++) {
        size_t mark = slot->marks[i];
        if (mark <= slot->processed) continue;
        return mark - slot->processed < count ? mark - slot->processed : count;
    }
    return count;
}

void prompt_cache_processed(struct engine *engine, struct slot *slot) {
    slot->unsaved = true;
    for (int i = 0; i < 2; i++) {
        if (slot->marks[i] != slot->processed) continue;
        slot->marks[i] = 0;
        checkpoints_cut(&slot->checkpoints, slot->processed - 1);
        take_checkpoint(engine, slot);
    }
}

/* ---- to disk ---- */

/* us of idling after which the slot is saved; -1: it need not be. */
static int64_t saved_after(const struct engine *e, const struct slot *s) {
    if (!s->unsaved || !wanted(e, s)) return -1;
    return saving_after(s->processed, s->saved, e->shrink_after);
}

static struct slot *next_to_save(struct engine *e) {
    int64_t idled = clock_boottime_usec() - e->last_work;
    for (int i = 0; i < e->context.parallel; i++) {
        int64_t after = saved_after(e, &e->slots[i]);
        if (after >= 0 && after <= idled) return &e->slots[i];
    }
    return NULL;
}

static bool in_memory_only(const struct store *store) {
    for (size_t i = 0; i < store->count; i++) {
        if (!store->entries[i]->on_disk) return true;
    }
    return false;
}

int prompt_cache_due(const struct engine *engine) {
    if (engine->store.mode != PROMPT_STORE_ON || engine->store_warned) return -1;
    int64_t soonest = in_memory_only(&engine->store) ? SAVING_USEC : -1;
    for (int i = 0; i < engine->context.parallel; i++) {
        int64_t after = saved_after(engine, &engine->slots[i]);
        if (after >= 0 && (soonest < 0 || after < soonest)) soonest = after;
    }
    if (soonest < 0) return -1;
    int64_t left = engine->last_work + soonest - clock_boottime_usec();
    return left > 0 ? (int)(left / 1000) + 1 : 0;
}

static bool undisturbed(void *ctx) {
    (void)ctx;
    return true;
}

/* The slot's sequence is written and its copy given back. False: it could not be written. */
static bool save(struct engine *e, struct slot *s, bool (*go_on)(void *ctx), void *ctx) {
    struct error err;
    struct store_entry *entry = capture(e, s);
    if (!entry) {
        s->unsaved = false; /* it will not be otherwise the next time */
        return true;
    }
    if (!store_save(&e->store, entry, go_on, ctx, &err)) {
        warn_once(e, &err);
        return false;
    }
    s->unsaved = false;
    s->saved = s->processed;
    return true;
}

void prompt_cache_save_idle(struct engine *engine) {
    struct error err;
    scan(engine);
    struct slot *slot = next_to_save(engine);
    if (slot) {
        (void)save(engine, slot, undisturbed, NULL);
    } else if (!store_write_all(&engine->store, undisturbed, NULL, &err)) {
        warn_once(engine, &err);
    }
    if (prompt_cache_due(engine) < 0) tell(engine);
}

struct last_save {
    struct engine *engine;
    int64_t until;
};

static bool in_time(void *ctx) {
    const struct last_save *last = ctx;
    return clock_boottime_usec() < last->until && !told_to_forget(last->engine);
}

/* Those used last first, in case that time runs out. */
static struct slot *newest_unsaved(struct engine *e, uint64_t before) {
    struct slot *newest = NULL;
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (s->last_used >= before || !wanted(e, s)) continue;
        if (!newest || s->last_used > newest->last_used) newest = s;
    }
    return newest;
}

static void save_rest(struct engine *e, struct last_save *last) {
    struct error err;
    scan(e);
    bool ok = true;
    for (uint64_t before = UINT64_MAX; ok;) {
        struct slot *s = newest_unsaved(e, before);
        if (!s) break;
        before = s->last_used;
        ok = save(e, s, in_time, last);
    }
    if (ok && !store_write_all(&e->store, in_time, last, &err)) warn_once(e, &err);
}

void prompt_cache_save_all(struct engine *engine) {
    struct last_save last = { engine, clock_boottime_usec() + STOP_USEC };
    if (engine->store.mode != PROMPT_STORE_ON) return;
    if (!told_to_forget(engine)) save_rest(engine, &last);
    if (told_to_forget(engine))
        prompt_cache_forget(engine);
    else
        tell(engine);
}

void prompt_cache_forget(struct engine *engine) {
    struct store *store = &engine->store;
    while (store->count > 0) {
        struct store_entry *entry = store->entries[store->count - 1];
        if (entry->on_disk) store_delete(store, entry);
        store_drop(store, entry);
    }
    for (int i = 0; i < engine->context.parallel; i++) {
        engine->slots[i].secret = true;
        engine->slots[i].turn_due = false;
    }
    for (struct job *job = engine->aside.first; job; job = job->next)
        job->request.sampling.cache_prompt = false;
    tell(engine);
}
