/* SPDX-License-Identifier: MIT */
/* serve_options.h - flags and environment of `doze serve`. */
#ifndef DOZE_DAEMON_SERVE_OPTIONS_H
#define DOZE_DAEMON_SERVE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/log.h"
#include "base/msec.h"

enum { SERVE_MAX_DIRS = 32 };

struct serve_options {
    char *host;
    int port;
    char *model_dirs[SERVE_MAX_DIRS];
    size_t model_dir_count;
    bool default_dirs; /* none was given; model_dirs[0] is doze's own, made if missing */
    char *state_dir;
    enum log_level log_level;
    msec exit_when_idle; /* MSEC_NEVER: it stays */
    bool ollama;         /* also listen where Ollama's clients look */
    int ready_fd;        /* "<port>\n" is written to it when the server listens; -1: none */
    bool help;
};

/* Flags win over DOZE_HOST, DOZE_PORT, DOZE_MODELS_DIR (colon-separated), DOZE_STATE_DIR, which
 * win over the defaults: 127.0.0.1:1234, the usual model folders, ~/.local/state/doze. argv[0]
 * is the command's name. Fails with a sentence for a usage error. Free with
 * serve_options_clear, also after a failure. */
bool serve_options_parse(int argc, char **argv, struct serve_options *ret_options,
                         struct error *err);
void serve_options_clear(struct serve_options *options);

/* The text of `doze serve --help`. */
extern const char serve_options_usage[];

#endif
