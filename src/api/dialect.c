/* SPDX-License-Identifier: MIT */
#include "api/dialect.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/xalloc.h"

void parsed_clear(struct parsed *parsed) {
    for (int i = 0; i < parsed->count; i++) service_request_clear(&parsed->requests[i]);
    free(parsed->options.model);
    free(parsed->skipped_tools);
    yyjson_mut_doc_free(parsed->options.echo);
    *parsed = (struct parsed){ 0 };
}

bool reply_options_fit(const struct reply_options *options, struct error *err) {
    if (!options->echo) return true;
    return json_count(yyjson_mut_doc_get_root(options->echo)) <= ECHO_VALUES_MAX ||
           error_set(
               err, ERR_TOO_LARGE,
               "The answer would repeat more than %d values of the request, such as those "
               "of its tools and metadata; send fewer.",
               ECHO_VALUES_MAX);
}

void reply_options_set_name(struct reply_options *options, const struct service_event *ev) {
    if (!ev->instance || options->model[0]) return;
    free(options->model);
    options->model = xstrdup(ev->instance->identifier);
}

void wait_comment(const struct service_wait *wait, struct buf *out) {
    bool ends = wait->kind != WAIT_UNKNOWN && wait->seconds > 0;
    switch (wait->kind) {
    case WAIT_UNKNOWN:
        buf_add_str(out, ": waiting");
        break;
    case WAIT_IN_LINE:
        buf_addf(out, ": place %" PRIu32 " in line", wait->place);
        break;
    case WAIT_LOAD:
        buf_addf(out, ": loading %" PRId64 "%%", wait->done * 100 / wait->total);
        break;
    case WAIT_PROMPT:
        buf_addf(out, ": prompt %" PRId64 " of %" PRId64, wait->done, wait->total);
        break;
    }
    if (ends) buf_addf(out, ", about %.0f s", ceil(wait->seconds));
    buf_add_str(out, "\n\n");
}
