/* SPDX-License-Identifier: MIT */
/*
 * fuzz_etcd.c - any bytes as what etcd answers. The first byte chooses the call, the second the
 * status. Keys and values that come out are texts within their bounds.
 */
#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "fleet/etcd_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const long statuses[] = { 200, 400, 404, 503 };
    struct etcd_answer answer;
    struct error err = { 0 };
    if (size < 2) return 0;
    enum etcd_call call = (enum etcd_call)(data[0] % ETCD_CALLS);
    long status = statuses[data[1] % 4];
    if (!etcd_answer_parse(call, status, (const char *)data + 2, size - 2, &answer, &err)) {
        assert(err.code != ERR_NONE && err.text[0]);
        return 0;
    }
    for (size_t i = 0; i < answer.count; i++) {
        const struct etcd_pair *pair = &answer.pairs[i];
        assert(pair->key[0] && strlen(pair->key) <= ETCD_KEY_MAX);
        assert(utf8_is_valid(pair->key, strlen(pair->key)));
        assert(pair->value || call == ETCD_WATCH);
        assert(!pair->value || strlen(pair->value) <= ETCD_VALUE_MAX);
    }
    etcd_answer_clear(&answer);
    return 0;
}
