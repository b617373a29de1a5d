/* SPDX-License-Identifier: MIT */
/* What another machine sends as sealed pieces: whatever it is, nothing is read that nobody has
 * written. The first byte says where it is cut. */
#include <stdlib.h>

#include "fleet/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct sealed_terms terms = { "a key", "up", "a", "b", "1", "2" };
    struct sealed_lane lane;
    struct buf out = BUF_INIT(1 << 20);
    if (size < 1) return 0;
    sealed_init(&lane, &terms);
    size_t cut = data[0] < size - 1 ? data[0] : size - 1;
    (void)(sealed_read(&lane, data + 1, cut, &out) &&
           sealed_read(&lane, data + 1 + cut, size - 1 - cut, &out));
    if (out.len > 0) abort();
    sealed_clear(&lane);
    buf_clear(&out);
    return 0;
}
