/* SPDX-License-Identifier: MIT */
/* Conversations with LM Studio's clients: NAME.script must become NAME.transcript. */
#include <stdlib.h>
#include <time.h>

#include "cmocka_prelude.h"
#include "golden.h"
#include "ws_fake.h"

static void run(const struct golden_case *c) {
    struct buf script, out = BUF_INIT(4 << 20);
    assert_true(golden_read(c, ".script", &script));
    ws_fake_run(buf_str(&script), &out);
    golden_check(c, ".transcript", &out);
    buf_clear(&script);
    buf_clear(&out);
}

int main(void) {
    (void)setenv("TZ", "UTC", 1); /* the log is written by the local clock */
    tzset();
    return golden_run("lmstudio-ws", ".script", run);
}
