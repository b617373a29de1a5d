/* SPDX-License-Identifier: MIT */
/* get_job.h - follows a download of the server's until it ends, with a progress bar. */
#ifndef DOZE_CLI_GET_JOB_H
#define DOZE_CLI_GET_JOB_H

#include "cli/client.h"

enum get_output { GET_BAR, GET_QUIET, GET_JSON };

/* Wait for the end of the download that a POST to /api/v1/models/download began. Ctrl-C pauses
 * it. Prints how it goes (GET_JSON: a line of JSON for each change) and why it did not end
 * well. name: what was asked for, for the advice how to go on. */
enum cli_exit get_job_follow(const struct cli *cli, const char *id, const char *name,
                             enum get_output output);

#endif
