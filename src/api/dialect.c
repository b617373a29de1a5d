/* SPDX-License-Identifier: MIT */
#include "api/dialect.h"

#include <stdlib.h>

#include "base/xalloc.h"

void parsed_clear(struct parsed *parsed) {
    for (int i = 0; i < parsed->count; i++) service_request_clear(&parsed->requests[i]);
    free(parsed->options.model);
    yyjson_mut_doc_free(parsed->options.echo);
    *parsed = (struct parsed){ 0 };
}

void reply_options_set_name(struct reply_options *options, const struct service_event *ev) {
    if (!ev->instance || options->model[0]) return;
    free(options->model);
    options->model = xstrdup(ev->instance->identifier);
}
