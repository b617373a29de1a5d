/* SPDX-License-Identifier: MIT */
#include "engine/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/prefix.h"
#include "prompts/value.h"

void store_init(struct store *store, enum prompt_store_mode mode, const char *path,
                uint64_t memory_limit) {
    *store = (struct store){ .mode = mode, .dir = -1 };
    store->memory_most = store->memory_limit = memory_limit;
    store->path = xstrdup(path);
}

void store_entry_free(struct store_entry *entry) {
    tokens_clear(&entry->tokens);
    free(entry->body);
    free(entry);
}

void store_clear(struct store *store) {
    for (size_t i = 0; i < store->count; i++) store_entry_free(store->entries[i]);
    free(store->entries);
    free(store->path);
    if (store->dir >= 0) close(store->dir);
    *store = (struct store){ .dir = -1 };
}

void store_rest(struct store *store) {
    struct store fresh;
    store_init(&fresh, store->mode, store->path, store->memory_most);
    store_set_fingerprint(&fresh, store->fingerprint);
    store_clear(store);
    *store = fresh;
}

void store_set_fingerprint(struct store *store,
                           const unsigned char fingerprint[FINGERPRINT_SIZE]) {
    memcpy(store->fingerprint, fingerprint, FINGERPRINT_SIZE);
}

void store_add(struct store *store, struct store_entry *entry) {
    if (store->count == store->cap) {
        store->cap = store->cap ? store->cap * 2 : 16;
        store->entries = xrealloc(store->entries, store->cap * sizeof(struct store_entry *));
    }
    store->entries[store->count++] = entry;
    if (entry->body) store->memory += entry_body_size(&entry->header);
}

static void free_body(struct store *store, struct store_entry *entry) {
    if (!entry->body) return;
    free(entry->body);
    entry->body = NULL;
    store->memory -= entry_body_size(&entry->header);
}

void store_drop(struct store *store, struct store_entry *entry) {
    size_t i = 0;
    while (i < store->count && store->entries[i] != entry) i++;
    assert(i < store->count);
    store->entries[i] = store->entries[--store->count];
    free_body(store, entry);
    store_entry_free(entry);
}

/* ---- finding ---- */

size_t store_usable(const struct store_entry *entry, size_t common, struct store_cut cut,
                    int *ret_checkpoint) {
    const struct entry_header *h = &entry->header;
    *ret_checkpoint = -1;
    if (cut.anywhere || common >= h->tokens) return common;
    if (cut.window > 0 && h->tokens <= (uint64_t)cut.window) return common;
    for (uint32_t i = h->checkpoint_count; i-- > 0;) {
        if (h->checkpoints[i].tokens > common) continue;
        *ret_checkpoint = (int)i;
        return (size_t)h->checkpoints[i].tokens;
    }
    return 0;
}

struct store_match store_find(struct store *store, const llama_token *prompt, size_t count,
                              struct store_cut cut) {
    struct store_match best = { .checkpoint = -1 };
    for (size_t i = 0; i < store->count; i++) {
        struct store_entry *entry = store->entries[i];
        size_t common = prefix_common(entry->tokens.data, entry->tokens.count, prompt,
                                      count - 1);
        int checkpoint;
        size_t usable = store_usable(entry, common, cut, &checkpoint);
        /* Of equals the one in memory, or else the shorter: it is read sooner. */
        bool better = usable > best.count;
        if (usable > 0 && usable == best.count) {
            better = entry->body && !best.entry->body;
            if (!entry->body == !best.entry->body) {
                better = entry->tokens.count < best.entry->tokens.count;
            }
        }
        if (!better) continue;
        best.entry = entry;
        best.count = usable;
        best.checkpoint = checkpoint;
    }
    return best;
}

bool store_gains(const struct store_match *match, size_t have) {
    size_t gain = match->count > have ? match->count - have : 0;
    if (gain >= STORE_LEAST_GAIN) return true;
    return gain >= STORE_LEAST_RESTORE && match->entry->tokens.count <= gain * STORE_LEAST_PART;
}

size_t store_common(const struct store *store, const llama_token *prompt, size_t count,
                    bool *ret_parts) {
    size_t most = 0;
    *ret_parts = false;
    for (size_t i = 0; i < store->count; i++) {
        const struct tokens *t = &store->entries[i]->tokens;
        size_t common = prefix_common(t->data, t->count, prompt, count - 1);
        bool parts = common < t->count;
        if (common > most || (common == most && !parts)) *ret_parts = parts;
        if (common > most) most = common;
    }
    return most;
}

bool store_wants(const struct store *store, const llama_token *tokens, size_t count,
                 struct store_cut cut) {
    if (count < STORE_LEAST_TOKENS) return false;
    for (size_t i = 0; i < store->count; i++) {
        const struct tokens *other = &store->entries[i]->tokens;
        if (!cut.anywhere && other->count != count) continue;
        size_t least = cut.anywhere ? count - STORE_LEAST_GAIN : count;
        if (prefix_common(other->data, other->count, tokens, count) >= least) return false;
    }
    return true;
}

/* ---- keeping ---- */

/* Entries that the new one can replace, apart from a few tokens: the last tokens of an answer
 * often differ in the next prompt. */
static void supersede(struct store *store, const struct store_entry *fresh) {
    for (size_t i = store->count; i-- > 0;) {
        struct store_entry *old = store->entries[i];
        if (old == fresh || old->tokens.count > fresh->tokens.count) continue;
        size_t common = prefix_common(old->tokens.data, old->tokens.count, fresh->tokens.data,
                                      fresh->tokens.count);
        if (old->tokens.count - common >= STORE_LEAST_TOKENS) continue;
        if (old->on_disk && !fresh->on_disk) { /* it is all there is, should we be killed */
            free_body(store, old);
            continue;
        }
        bool same = old->header.tokens_sum ==
                    fresh->header.tokens_sum; /* then so is the file */
        if (old->on_disk && !same) store_delete(store, old);
        store_drop(store, old);
    }
}

static size_t entries_in_memory(const struct store *store, struct value_item *ret) {
    size_t n = 0;
    for (size_t i = 0; i < store->count; i++) {
        struct store_entry *e = store->entries[i];
        if (!e->body) continue;
        ret[n++] = (struct value_item){ .tokens = e->tokens.count,
                                        .bytes = entry_body_size(&e->header),
                                        .used = e->used,
                                        .owner = e };
    }
    return n;
}

static bool write_one(struct store *store, struct store_entry *entry, bool (*go_on)(void *ctx),
                      void *ctx, struct error *err) {
    if (!store_write(store, entry, go_on, ctx, err)) return false;
    supersede(store, entry);
    return true;
}

static bool always(void *ctx) {
    (void)ctx;
    return true;
}

/* Bodies over the limit leave memory, written first if there is a disk to write to. */
static bool shrink(struct store *store, struct error *err) {
    bool ok = true;
    struct value_item *items = xcalloc(store->count + 1, sizeof *items);
    size_t n = entries_in_memory(store, items);
    size_t out = value_excess(items, n, store->memory_limit, clock_unix());
    for (size_t i = 0; i < out; i++) {
        struct store_entry *entry = items[i].owner;
        if (store->mode == PROMPT_STORE_ON && !entry->on_disk) {
            ok = store_write(store, entry, always, NULL, err) && ok;
        }
        if (entry->on_disk)
            free_body(store, entry);
        else
            store_drop(store, entry);
    }
    free(items);
    return ok;
}

bool store_limit_memory(struct store *store, uint64_t bytes, struct error *err) {
    store->memory_limit = bytes < store->memory_most ? bytes : store->memory_most;
    return shrink(store, err);
}

static void stamp(const struct store *store, struct store_entry *entry) {
    memcpy(entry->header.fingerprint, store->fingerprint, FINGERPRINT_SIZE);
    entry->header.tokens = entry->tokens.count;
    entry->header.tokens_sum = entry_sum(entry->tokens.data,
                                         entry->tokens.count * sizeof(llama_token));
    entry->used = clock_unix();
}

bool store_put(struct store *store, struct store_entry *entry, struct error *err) {
    stamp(store, entry);
    store_add(store, entry);
    supersede(store, entry);
    return shrink(store, err);
}

bool store_save(struct store *store, struct store_entry *entry, bool (*go_on)(void *ctx),
                void *ctx, struct error *err) {
    stamp(store, entry);
    store_add(store, entry);
    bool ok = write_one(store, entry, go_on, ctx, err);
    if (ok)
        free_body(store, entry);
    else
        store_drop(store, entry);
    return ok;
}

bool store_write_all(struct store *store, bool (*go_on)(void *ctx), void *ctx,
                     struct error *err) {
    for (size_t i = 0; i < store->count;) {
        struct store_entry *entry = store->entries[i];
        if (entry->on_disk) {
            i++;
            continue;
        }
        if (!write_one(store, entry, go_on, ctx, err)) return false;
        i = 0; /* others may have been superseded */
    }
    return true;
}

/* ---- using ---- */

const unsigned char *store_borrow(struct store *store, struct store_entry *entry) {
    if (entry->body) return entry->body;
    bool damaged = false;
    const unsigned char *body = store_map(store, entry, &damaged);
    if (body) return body;
    if (damaged) store_delete(store, entry);
    store_drop(store, entry);
    store->lost++;
    return NULL;
}

void store_return(struct store *store, struct store_entry *entry, const unsigned char *body) {
    (void)store;
    if (body != entry->body) store_unmap(entry, body);
}

void store_touch(struct store *store, struct store_entry *entry) {
    store->hits++;
    entry->used = clock_unix();
    if (entry->on_disk) store_file_touch(store, entry);
}

uint64_t store_disk_bytes(const struct store *store) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < store->count; i++) {
        const struct store_entry *e = store->entries[i];
        if (e->on_disk) bytes += entry_file_size(&e->header);
    }
    return bytes;
}
