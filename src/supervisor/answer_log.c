/* SPDX-License-Identifier: MIT */
/* answer_log.c - what models read and write, for those who follow the log. */
#include "base/clock.h"
#include "supervisor/internal.h"

static void log_of_call(struct supervisor *sup, const struct call *call, struct log_line line) {
    if (!sup->config.log_wanted(sup->config.ctx, line.kind)) return;
    line.level = LOG_LEVEL_INFO;
    line.at = clock_unix();
    line.instance = supervisor_reference(sup, call->request.slot);
    line.model = sup->instances[call->request.slot].identifier;
    sup->config.on_log(sup->config.ctx, &line);
}

void supervisor_log_input(struct supervisor *sup, const struct call *call, const char *prompt) {
    if (prompt) log_of_call(sup, call, (struct log_line){ .kind = LOG_INPUT, .text = prompt });
}

void supervisor_log_answer(struct supervisor *sup, const struct call *call,
                           const struct service_event *done) {
    if (call->request.output.len > 0) {
        const char *text = buf_str(&call->request.output);
        log_of_call(sup, call, (struct log_line){ .kind = LOG_OUTPUT, .text = text });
    }
    log_of_call(sup, call,
                (struct log_line){ .kind = LOG_STATS,
                                   .usage = done->usage,
                                   .timing = done->timing,
                                   .stop_reason = done->stop_reason });
}
