/* SPDX-License-Identifier: MIT */
/*
 * entry.h - one file of the prompt store: the state of one sequence and the tokens it was made
 * of. Pure: no files here.
 *
 *   header  136 bytes, little endian, see entry.c
 *   tokens  i32 each
 *   body    the sequence's state, then the checkpoints' states, in the header's order
 *
 * Every byte is covered by one of three XXH3 checksums (header, tokens, body). They find
 * damage, not malice: the folder is its owner's alone. A reader of an entry checks the
 * fingerprint, too: the state is of use only to the same file, engine and settings.
 */
#ifndef DOZE_PROMPTS_ENTRY_H
#define DOZE_PROMPTS_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ENTRY_HEADER_SIZE = 136,
    ENTRY_MAX_TOKENS = 1 << 24,
    ENTRY_MAX_CHECKPOINTS = 4,
    ENTRY_NAME_SIZE = 16 + sizeof ".prompt",
    FINGERPRINT_SIZE = 16,
};

/* The part of a sequence's state that cannot be cut (recurrent layers, sliding windows), as it
 * was after this many tokens. */
struct entry_checkpoint {
    uint64_t tokens; /* fewer than the entry's; in rising order */
    uint64_t bytes;
};

struct entry_header {
    unsigned char fingerprint[FINGERPRINT_SIZE];
    uint64_t tokens; /* 1 .. ENTRY_MAX_TOKENS */
    uint64_t state_bytes;
    uint32_t checkpoint_count;
    struct entry_checkpoint checkpoints[ENTRY_MAX_CHECKPOINTS];
    uint64_t tokens_sum, body_sum;
};

/* XXH3 with 64 and 128 bits. */
uint64_t entry_sum(const void *bytes, size_t len);
void entry_fingerprint(const void *bytes, size_t len, unsigned char ret[FINGERPRINT_SIZE]);

void entry_format(const struct entry_header *header, unsigned char ret[ENTRY_HEADER_SIZE]);

/* False: these are not the first bytes of a complete entry of this version with file_size
 * bytes. */
bool entry_parse(const unsigned char *bytes, size_t len, uint64_t file_size,
                 struct entry_header *ret);

/* Sizes of what a parsed or filled header describes. */
uint64_t entry_body_size(const struct entry_header *header);
uint64_t entry_body_offset(const struct entry_header *header);
uint64_t entry_file_size(const struct entry_header *header);

/* Where in the body the state of a checkpoint begins; index < checkpoint_count, or equal to it
 * for the body's end. */
uint64_t entry_checkpoint_offset(const struct entry_header *header, uint32_t index);

/* "0123456789abcdef.prompt", the same for the same tokens under the same fingerprint. */
void entry_name(const struct entry_header *header, char ret[ENTRY_NAME_SIZE]);

/* Could entry_name have made it? Other files must be left alone. */
bool entry_is_name(const char *name);

/* Files that are being written: this, then a name. */
#define ENTRY_UNFINISHED ".new-"

#endif
