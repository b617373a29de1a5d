/* SPDX-License-Identifier: MIT */
/* fuzz_pass.c - any text as the pass of another node: none is let in, as nobody has the key. */
#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "fleet/node_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err;
    struct node_pass asked = { .to = "b", .method = "POST", .path = "/v1/x", .at = 1000000000 };
    char *text = xstrndup((const char *)data, size);
    assert(!node_pass_check("a key that nobody guesses", text, &asked, &err));
    free(text);
    return 0;
}
