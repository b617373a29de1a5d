/* SPDX-License-Identifier: MIT */
/*
 * store.h - processed prompts that no slot holds: in memory and in the files of the model's
 * folder.
 *
 * The files are the index: their headers and tokens are read once, the newest first. Several
 * workers may use one folder: files appear whole (rename) and may vanish at any time. Files
 * that are damaged, of another format or of other settings are deleted; files with other names
 * are left alone. Knows no context: see prompt_cache.h.
 */
#ifndef DOZE_ENGINE_STORE_H
#define DOZE_ENGINE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/tokens.h"
#include "ipc/load_message.h"
#include "prompts/entry.h"

/* Most files that are indexed, and tokens that are remembered; the rest waits until the daemon
 * makes room. */
enum { STORE_MAX_FILES = 512, STORE_MAX_TOKENS = 4 << 20 };

/* Fewer tokens are not worth keeping: processing them is faster. */
enum { STORE_LEAST_TOKENS = 32, STORE_LEAST_GAIN = 16 };

/* As few are restored from an entry of at most LEAST_PART times as many. */
enum { STORE_LEAST_RESTORE = 8, STORE_LEAST_PART = 16 };

struct store_entry {
    struct entry_header header; /* body_sum: only of an entry on disk */
    struct tokens tokens;
    unsigned char *body; /* NULL: on disk only */
    bool on_disk;
    int64_t used; /* Unix ms */
};

struct store {
    enum prompt_store_mode mode;
    int dir; /* -1: not there (yet) */
    char *path;
    uint64_t memory_most;          /* bytes of bodies that the user allows */
    uint64_t memory_limit, memory; /* bytes that have room, and that are there */
    unsigned char fingerprint[FINGERPRINT_SIZE];
    bool scanned;
    struct store_entry **entries;
    size_t count, cap;
    uint64_t hits, saves; /* sequences restored; files written */
    uint64_t lost;        /* entries whose file was gone or damaged when it was wanted */
    size_t others;        /* files of this model with other settings, when it was scanned */
};

/* How much of a state can be used for a prompt that shares only its beginning. */
struct store_cut {
    bool anywhere;  /* the state can be cut at any token */
    int32_t window; /* > 0: or as long as no sliding window has moved past its beginning */
};

/* path: the model's folder; it need not be there until a file is written. */
void store_init(struct store *store, enum prompt_store_mode mode, const char *path,
                uint64_t memory_limit);
void store_clear(struct store *store);
/* Forget all entries; the files stay, and are read when an entry is wanted again. */
void store_rest(struct store *store);

/* Set the fingerprint that states depend on; entries with another are dropped. */
void store_set_fingerprint(struct store *store,
                           const unsigned char fingerprint[FINGERPRINT_SIZE]);

/* How many tokens of the entry's beginning can be restored for a prompt whose first `common`
 * tokens are the same. *ret_checkpoint: the one that is needed for it, or -1. */
size_t store_usable(const struct store_entry *entry, size_t common, struct store_cut cut,
                    int *ret_checkpoint);

struct store_match {
    struct store_entry *entry; /* NULL: nothing is in common */
    size_t count;              /* tokens that can be restored */
    int checkpoint;
};

/* The entry of which most tokens can be used; at least one token of the prompt is left over. */
struct store_match store_find(struct store *store, const llama_token *prompt, size_t count,
                              struct store_cut cut);

/* The length of the longest beginning of the prompt, without its last token, that an entry
 * has, restorable or not. *ret_parts: that entry then continues differently, rather than end
 * there. */
size_t store_common(const struct store *store, const llama_token *prompt, size_t count,
                    bool *ret_parts);

/* Is what matches worth a restore for a prompt of which `have` tokens are there? The whole
 * entry is read for it, so a few tokens are worth a short entry only, as that of a question
 * under the same system prompt. */
bool store_gains(const struct store_match *match, size_t have);

/* Is a sequence of these tokens worth a save, given what there is already? */
bool store_wants(const struct store *store, const llama_token *tokens, size_t count,
                 struct store_cut cut);

/* Put an entry into memory. Takes it (tokens, body, and a header with all but fingerprint and
 * sums). Entries that are a beginning of it are dropped. What exceeds the limit goes to disk
 * or, if that is off, is dropped; the least valuable first. Fails as store_write does; the
 * entry is kept even then. */
bool store_put(struct store *store, struct store_entry *entry, struct error *err);

/* Limit the bytes of bodies in memory; what exceeds them goes as store_put says. */
bool store_limit_memory(struct store *store, uint64_t bytes, struct error *err);

/* Write an entry to disk, without a copy in memory. Takes it. Fails with ERR_IO; then it is
 * lost. */
bool store_save(struct store *store, struct store_entry *entry, bool (*go_on)(void *ctx),
                void *ctx, struct error *err);

/* Write every entry that is in memory only. go_on: asked between the pieces of a file; false
 * ends it. Fails with ERR_IO; what could not be written stays in memory. */
bool store_write_all(struct store *store, bool (*go_on)(void *ctx), void *ctx,
                     struct error *err);

/* The entry's body, from memory or mapped and checked. NULL: the file is gone or damaged; the
 * entry has been dropped and, if damaged, deleted. Give it back before any other call. */
const unsigned char *store_borrow(struct store *store, struct store_entry *entry);
void store_return(struct store *store, struct store_entry *entry, const unsigned char *body);

/* Forget the entry; its file stays. */
void store_drop(struct store *store, struct store_entry *entry);

/* The entry was used: it counts as new. */
void store_touch(struct store *store, struct store_entry *entry);

/* Bytes of all files known. */
uint64_t store_disk_bytes(const struct store *store);

/* ---- store_file.c ---- */

/* Read headers and tokens of the folder's newest files. */
void store_scan(struct store *store);

/* Write a file that appears whole or not at all. Fails with ERR_IO. */
bool store_write(struct store *store, struct store_entry *entry, bool (*go_on)(void *ctx),
                 void *ctx, struct error *err);
/* The body of a file, mapped and checked; NULL: gone or damaged (*ret_damaged). */
const unsigned char *store_map(struct store *store, const struct store_entry *entry,
                               bool *ret_damaged);
void store_unmap(const struct store_entry *entry, const unsigned char *body);
void store_delete(struct store *store, const struct store_entry *entry);
void store_file_touch(struct store *store, const struct store_entry *entry);

void store_add(struct store *store, struct store_entry *entry);
void store_entry_free(struct store_entry *entry);

#endif
