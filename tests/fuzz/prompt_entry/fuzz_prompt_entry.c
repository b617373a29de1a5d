/* SPDX-License-Identifier: MIT */
/* fuzz_prompt_entry.c - any bytes as an entry's header, as they are and with the checksum put
 * right: what is taken for a header is one again when written, and its sizes hold. Also as a
 * model's key. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "prompts/entry.h"
#include "prompts/folder.h"

enum { SUM_AT = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const unsigned char *bytes, size_t len, uint64_t file_size) {
    struct entry_header h;
    unsigned char again[ENTRY_HEADER_SIZE];
    char name[ENTRY_NAME_SIZE];
    if (!entry_parse(bytes, len, file_size, &h)) return;
    assert(h.tokens > 0 && h.tokens <= ENTRY_MAX_TOKENS);
    assert(h.checkpoint_count <= ENTRY_MAX_CHECKPOINTS);
    assert(entry_body_offset(&h) + entry_body_size(&h) == file_size);
    entry_name(&h, name);
    assert(entry_is_name(name));
    entry_format(&h, again);
    struct entry_header twice;
    assert(entry_parse(again, sizeof again, file_size, &twice));
}

/* The file size that the header asks for, so that sound headers get through. */
static uint64_t wanted_size(const unsigned char *b) {
    uint64_t tokens, size, part;
    memcpy(&tokens, b + 32, 8);
    memcpy(&size, b + 40, 8);
    for (int i = 0; i < b[12] && i < ENTRY_MAX_CHECKPOINTS; i++) {
        memcpy(&part, b + 56 + 16 * i, 8);
        size += part;
    }
    return size + ENTRY_HEADER_SIZE + 4 * tokens;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check(data, size, size);
    if (size >= ENTRY_HEADER_SIZE) {
        unsigned char bytes[ENTRY_HEADER_SIZE];
        memcpy(bytes, data, sizeof bytes);
        uint64_t sum = entry_sum(bytes, SUM_AT);
        memcpy(bytes + SUM_AT, &sum, sizeof sum);
        check(bytes, sizeof bytes, wanted_size(bytes));
    }
    char text[256];
    size_t len = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, len);
    text[len] = '\0';
    struct buf folder = BUF_INIT(1024), key = BUF_INIT(1024);
    folder_from_key(text, &folder);
    assert(folder.len > 0 && folder.len < 256 && !strchr(buf_str(&folder), '/'));
    assert(buf_str(&folder)[0] != '.');
    folder_to_key(buf_str(&folder), &key);
    if (folder.len < 200 && *text) assert(strcmp(buf_str(&key), text) == 0);
    buf_clear(&folder);
    buf_clear(&key);
    return 0;
}
