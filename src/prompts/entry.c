/* SPDX-License-Identifier: MIT */
#include "prompts/entry.h"

#define XXH_INLINE_ALL
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* Where things are in the header. */
enum {
    AT_VERSION = 8,
    AT_CHECKPOINT_COUNT = 12,
    AT_FINGERPRINT = 16,
    AT_TOKENS = 32,
    AT_STATE = 40,
    AT_CHECKPOINTS = 48, /* tokens and bytes, four times */
    AT_TOKENS_SUM = 112,
    AT_BODY_SUM = 120,
    AT_HEADER_SUM = 128, /* of all bytes before it */
};
_Static_assert(AT_HEADER_SUM + 8 == ENTRY_HEADER_SIZE, "the header ends with its checksum");
_Static_assert(AT_CHECKPOINTS + 16 * ENTRY_MAX_CHECKPOINTS == AT_TOKENS_SUM, "checkpoints fit");

static const unsigned char magic[8] = { 'D', 'O', 'Z', 'E', 'P', 'R', 'M', 'T' };
enum { VERSION = 1 };

/* No state is as large: sums of sizes below it cannot overflow. */
#define MOST_BYTES (UINT64_C(1) << 48)

static void put(unsigned char *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *from, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)from[i] << (8 * i);
    return value;
}

uint64_t entry_sum(const void *bytes, size_t len) {
    return XXH3_64bits(bytes, len);
}

void entry_fingerprint(const void *bytes, size_t len, unsigned char ret[FINGERPRINT_SIZE]) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, len));
    memcpy(ret, canonical.digest, FINGERPRINT_SIZE);
}

void entry_format(const struct entry_header *h, unsigned char ret[ENTRY_HEADER_SIZE]) {
    memset(ret, 0, ENTRY_HEADER_SIZE);
    memcpy(ret, magic, sizeof magic);
    put(ret + AT_VERSION, VERSION, 4);
    put(ret + AT_CHECKPOINT_COUNT, h->checkpoint_count, 4);
    memcpy(ret + AT_FINGERPRINT, h->fingerprint, FINGERPRINT_SIZE);
    put(ret + AT_TOKENS, h->tokens, 8);
    put(ret + AT_STATE, h->state_bytes, 8);
    for (uint32_t i = 0; i < h->checkpoint_count; i++) {
        put(ret + AT_CHECKPOINTS + 16 * i, h->checkpoints[i].tokens, 8);
        put(ret + AT_CHECKPOINTS + 16 * i + 8, h->checkpoints[i].bytes, 8);
    }
    put(ret + AT_TOKENS_SUM, h->tokens_sum, 8);
    put(ret + AT_BODY_SUM, h->body_sum, 8);
    put(ret + AT_HEADER_SUM, entry_sum(ret, AT_HEADER_SUM), 8);
}

static bool sound(const struct entry_header *h, uint64_t file_size) {
    if (h->tokens == 0 || h->tokens > ENTRY_MAX_TOKENS) return false;
    if (h->state_bytes == 0 || h->state_bytes > MOST_BYTES) return false;
    uint64_t before = 0;
    for (uint32_t i = 0; i < h->checkpoint_count; i++) {
        const struct entry_checkpoint *c = &h->checkpoints[i];
        if (c->tokens <= before || c->tokens >= h->tokens) return false;
        if (c->bytes == 0 || c->bytes > MOST_BYTES) return false;
        before = c->tokens;
    }
    return entry_file_size(h) == file_size;
}

bool entry_parse(const unsigned char *bytes, size_t len, uint64_t file_size,
                 struct entry_header *ret) {
    if (len < ENTRY_HEADER_SIZE || memcmp(bytes, magic, sizeof magic) != 0) return false;
    if (get(bytes + AT_HEADER_SUM, 8) != entry_sum(bytes, AT_HEADER_SUM)) return false;
    if (get(bytes + AT_VERSION, 4) != VERSION) return false;
    struct entry_header h = { .checkpoint_count = (uint32_t)get(bytes + AT_CHECKPOINT_COUNT, 4),
                              .tokens = get(bytes + AT_TOKENS, 8),
                              .state_bytes = get(bytes + AT_STATE, 8),
                              .tokens_sum = get(bytes + AT_TOKENS_SUM, 8),
                              .body_sum = get(bytes + AT_BODY_SUM, 8) };
    if (h.checkpoint_count > ENTRY_MAX_CHECKPOINTS) return false;
    memcpy(h.fingerprint, bytes + AT_FINGERPRINT, FINGERPRINT_SIZE);
    for (uint32_t i = 0; i < h.checkpoint_count; i++) {
        h.checkpoints[i].tokens = get(bytes + AT_CHECKPOINTS + 16 * i, 8);
        h.checkpoints[i].bytes = get(bytes + AT_CHECKPOINTS + 16 * i + 8, 8);
    }
    if (!sound(&h, file_size)) return false;
    *ret = h;
    return true;
}

uint64_t entry_checkpoint_offset(const struct entry_header *header, uint32_t index) {
    uint64_t offset = header->state_bytes;
    for (uint32_t i = 0; i < index; i++) offset += header->checkpoints[i].bytes;
    return offset;
}

uint64_t entry_body_size(const struct entry_header *header) {
    return entry_checkpoint_offset(header, header->checkpoint_count);
}

uint64_t entry_body_offset(const struct entry_header *header) {
    return ENTRY_HEADER_SIZE + header->tokens * sizeof(int32_t);
}

uint64_t entry_file_size(const struct entry_header *header) {
    return entry_body_offset(header) + entry_body_size(header);
}

void entry_name(const struct entry_header *header, char ret[ENTRY_NAME_SIZE]) {
    unsigned char key[FINGERPRINT_SIZE + 16];
    memcpy(key, header->fingerprint, FINGERPRINT_SIZE);
    put(key + FINGERPRINT_SIZE, header->tokens, 8);
    put(key + FINGERPRINT_SIZE + 8, header->tokens_sum, 8);
    snprintf(ret, ENTRY_NAME_SIZE, "%016llx.prompt",
             (unsigned long long)entry_sum(key, sizeof key));
}

bool entry_is_name(const char *name) {
    return strspn(name, "0123456789abcdef") == 16 && strcmp(name + 16, ".prompt") == 0;
}
