/* SPDX-License-Identifier: MIT */
#include "api/dialect.h"

#include <stdlib.h>

void parsed_clear(struct parsed *parsed) {
    for (int i = 0; i < parsed->count; i++) service_request_clear(&parsed->requests[i]);
    free(parsed->options.model);
    *parsed = (struct parsed){ 0 };
}
