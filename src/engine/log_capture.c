/* SPDX-License-Identifier: MIT */
#include "engine/log_capture.h"

#include <ggml.h>
#include <llama.h>
#include <mtmd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/plan_shim.h"

enum { MAX_KEPT = 480, FORWARD_MAX = 10, FORWARD_SPAN_MS = 10000 };

/* Global, as the library's log is. What other threads cause (repack.c) is ignored. */
static struct {
    pthread_t owner;
    char kept[MAX_KEPT];
    char taken[MAX_KEPT];
    size_t len;
    enum ggml_log_level level; /* of the line that is being continued */
    bool flash_refused;
    bool muted;
    struct link *link;
    msec span_start;
    int span_count;
} state;

static void keep(const char *text, size_t len) {
    size_t room = sizeof state.kept - 1 - state.len;
    if (state.len > 0 && room > 2) {
        memcpy(state.kept + state.len, "; ", 2);
        state.len += 2;
        room -= 2;
    }
    size_t n = len < room ? len : room;
    memcpy(state.kept + state.len, text, n);
    state.len += n;
    state.kept[state.len] = '\0';
}

static void forward(const char *text, size_t len) {
    msec now = clock_boottime();
    if (now - state.span_start > FORWARD_SPAN_MS) {
        state.span_start = now;
        state.span_count = 0;
    }
    if (++state.span_count > FORWARD_MAX) return;
    link_send_warning(state.link, text, len);
}

static void library_on_log(enum ggml_log_level level, const char *text, void *ctx) {
    (void)ctx;
    if (!pthread_equal(state.owner, pthread_self())) return;
    if (level != GGML_LOG_LEVEL_CONT) state.level = level;
    if (strstr(text, "lash") && strstr(text, "set to disabled")) state.flash_refused = true;
    if (state.level != GGML_LOG_LEVEL_ERROR || state.muted) return;
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' ')) len--;
    if (len == 0) return;
    keep(text, len);
    if (state.link) forward(text, len);
}

/* The process ends right after: tell the daemon why, if it is listening. */
static void library_on_abort(const char *text) {
    fprintf(stderr, "doze-engine: %s\n", text);
    if (!state.link || !pthread_equal(state.owner, pthread_self())) return;
    state.span_count = 0;
    forward(text, strlen(text));
}

void log_capture_start(void) {
    state.owner = pthread_self();
    setenv("GGML_NO_BACKTRACE", "1", 0); /* else it starts a debugger on itself */
    plan_shim_quiet();
    (void)ggml_set_abort_callback(library_on_abort);
    llama_log_set(library_on_log, NULL);
    mtmd_log_set(library_on_log, NULL);
}

void log_capture_forward(struct link *link) {
    state.link = link;
}

void log_capture_mute(bool muted) {
    state.muted = muted;
}

bool log_capture_flash_refused(void) {
    return state.flash_refused;
}

const char *log_capture_take(void) {
    if (!pthread_equal(state.owner, pthread_self())) return "";
    memcpy(state.taken, state.kept, state.len + 1);
    state.len = 0;
    state.kept[0] = '\0';
    return state.taken;
}
