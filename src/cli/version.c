/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/json.h"
#include "cli/show.h"

struct version_values {
    bool json;
};

static const struct option_row version_options[] = {
    FLAG(version, json, "json", 0, "Print JSON"),
};

static enum cli_exit version_run(const struct cli *cli, const void *values) {
    const struct version_values *v = values;
    (void)cli;
    if (v->json) {
        yyjson_mut_val *root;
        yyjson_mut_doc *doc = json_object_new(&root);
        yyjson_mut_obj_add_str(doc, root, "version", DOZE_VERSION);
        yyjson_mut_obj_add_str(doc, root, "structured_output", DOZE_STRUCTURED_OUTPUT);
        show_json(doc);
    } else {
        printf("doze %s\nstructured output by %s\n", DOZE_VERSION, DOZE_STRUCTURED_OUTPUT);
    }
    return CLI_DONE;
}

const struct command command_version = {
    COMMAND(version, "version", NULL, 0, 0),
    .summary = "Show the version of this program",
};
