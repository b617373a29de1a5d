/* SPDX-License-Identifier: MIT */
/* Requests and loads as the worker reads them, and the text machinery behind an answer. */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "engine/request.h"
#include "engine/rules.h"
#include "ipc/load_message.h"

enum { VOCAB = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted keeps what the header promises. */
static void check_request(const struct request *r) {
    assert(r->sampling.max_tokens >= -1);
    assert(r->sampling.temperature >= 0 && r->sampling.top_p <= 1);
    assert(r->sampling.stops.count <= REQUEST_MAX_STOPS);
    for (size_t i = 0; i < r->sampling.stops.count; i++) assert(*r->sampling.stops.words[i]);
    for (size_t i = 0; i < r->sampling.bias_count; i++) {
        assert(r->sampling.biases[i].token >= 0 && r->sampling.biases[i].token < VOCAB);
    }
    for (size_t i = 0; i < r->input_count; i++) {
        assert(r->inputs[i].text || r->inputs[i].tokens);
        for (size_t k = 0; k < r->inputs[i].count; k++) assert(r->inputs[i].tokens[k] < VOCAB);
    }
    if (r->op == REQUEST_CHAT) assert(r->chat.messages);
    struct buf rules = BUF_INIT(16 << 20);
    struct error err;
    rules_write(&r->chat, 1, &rules);
    yyjson_doc *doc = json_parse_object(buf_str(&rules), rules.len, &err);
    assert(rules.len == 0 || doc);
    yyjson_doc_free(doc);
    buf_clear(&rules);
}

/* The bytes in two pieces through hold-back, repair and stop strings: nothing is lost, and no
 * stop string is left in what came out. */
static void check_text(const char *text, size_t len, size_t cut) {
    const char *words[] = { "stop", "\n\n", "op" };
    struct stops stops = { .words = words, .count = 3 };
    struct buf whole = BUF_INIT(1 << 20), pieces = BUF_INIT(1 << 20);
    size_t first = utf8_whole(text, cut);
    assert(first <= cut && cut - first < 4);
    assert(utf8_repair(&whole, text, len));
    assert(utf8_repair(&pieces, text, first) &&
           utf8_repair(&pieces, text + first, len - first));
    assert(whole.len == pieces.len &&
           memcmp(buf_str(&whole), buf_str(&pieces), whole.len) == 0);
    struct stops_found found = stops_scan(&stops, buf_str(&whole), whole.len);
    assert(found.safe <= whole.len);
    for (int i = 0; i < 3; i++)
        assert(!memmem(buf_str(&whole), found.safe, words[i], strlen(words[i])));
    buf_clear(&whole);
    buf_clear(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    struct sampling defaults = sampling_defaults();
    struct request request;
    struct load_message load;
    struct error err;
    if (request_parse(&request, text, size, &defaults, VOCAB, &err)) {
        check_request(&request);
        request_clear(&request);
    }
    if (load_message_parse(&load, text, size, &err)) {
        assert(load.path && load.settings.parallel >= 0);
        load_message_clear(&load);
    }
    check_text(text, size, size / 2);
    return 0;
}
