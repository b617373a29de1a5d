/* SPDX-License-Identifier: MIT */
#include "daemon/serve_options.h"

#include <assert.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/user_dirs.h"
#include "base/xalloc.h"
#include "daemon/idle_exit.h"

const char serve_options_usage[] =
    "Usage: doze serve [options]\n"
    "Serve models over HTTP until stopped. Models are loaded when they are asked for.\n"
    "\n"
    "  --host HOST        address to listen on (default 127.0.0.1, or DOZE_HOST)\n"
    "  --port PORT        port to listen on, 0 for any free one (default 1234, or DOZE_PORT)\n"
    "  --ollama           listen on Ollama's port 11434, too (or setting ollama_port)\n"
    "  --models-dir DIR   folder with GGUF files; may be given several times (default\n"
    "                     ~/.local/share/doze/models, LM Studio's and the Hugging Face cache,\n"
    "                     or DOZE_MODELS_DIR, colon-separated)\n"
    "  --state-dir DIR    where settings live (default ~/.local/state/doze, or "
    "DOZE_STATE_DIR)\n"
    "  --log-level LEVEL  error, warn, info or debug (default info)\n"
    "  --exit-when-idle SPAN\n"
    "                     leave when nothing was loaded and nobody connected for this\n"
    "                     long, such as 10m; for a server that systemd starts on the\n"
    "                     next connection\n"
    "  --ready-fd FD      write the port to this file descriptor once listening\n"
    "  --help             show this\n";

static bool add_dir(struct serve_options *o, const char *dir, size_t len, struct error *err) {
    if (len == 0) return true;
    if (o->model_dir_count == SERVE_MAX_DIRS) {
        return error_set(err, ERR_INVALID_REQUEST, "At most %d model folders can be given.",
                         SERVE_MAX_DIRS);
    }
    o->model_dirs[o->model_dir_count++] = xstrndup(dir, len);
    return true;
}

static bool add_dirs(struct serve_options *o, const char *list, struct error *err) {
    while (list) {
        const char *colon = strchr(list, ':');
        size_t len = colon ? (size_t)(colon - list) : strlen(list);
        if (!add_dir(o, list, len, err)) return false;
        list = colon ? colon + 1 : NULL;
    }
    return true;
}

static void add_default_dirs(struct serve_options *o) {
    char *dirs[] = { user_dir("XDG_DATA_HOME", ".local/share", "doze/models"),
                     xasprintf("%s/.lmstudio/models", user_home()),
                     getenv("HF_HUB_CACHE")
                         ? xstrdup(getenv("HF_HUB_CACHE"))
                         : user_dir("HF_HOME", ".cache/huggingface", "hub") };
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        o->model_dirs[o->model_dir_count++] = dirs[i];
    }
    o->default_dirs = true;
}

/* what: the number's name at the beginning of a sentence. */
static bool parse_number(const char *text, const char *what, int max, int *ret_number,
                         struct error *err) {
    char *end;
    long number = strtol(text, &end, 10);
    if (end == text || *end || number < 0 || number > max) {
        return error_set(err, ERR_INVALID_REQUEST, "%s must be 0 to %d, not '%.40s'.", what,
                         max, text);
    }
    *ret_number = (int)number;
    return true;
}

static bool parse_port(const char *text, int *ret_port, struct error *err) {
    return parse_number(text, "The port", 65535, ret_port, err);
}

static void set_text(char **place, const char *text) {
    free(*place);
    *place = xstrdup(text);
}

static bool take_state_dir(struct serve_options *o, const char *dir, struct error *err) {
    if (!*dir) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "--state-dir is empty; name a folder, or leave it out for "
                         "~/.local/state/doze.");
    }
    set_text(&o->state_dir, dir);
    return true;
}

static bool take_idle_span(struct serve_options *o, const char *span, struct error *err) {
    bool ok = duration_parse(span, &o->exit_when_idle) && o->exit_when_idle >= IDLE_EXIT_LEAST;
    return ok || error_set(err, ERR_INVALID_REQUEST,
                           "--exit-when-idle needs a span of a second or more, such as 10m, "
                           "not '%.40s'.",
                           span);
}

static bool take_flag(struct serve_options *o, int flag, const char *value, struct error *err) {
    switch (flag) {
    case 'H':
        set_text(&o->host, value);
        return true;
    case 'p':
        return parse_port(value, &o->port, err);
    case 'm':
        return add_dir(o, value, strlen(value), err);
    case 's':
        return take_state_dir(o, value, err);
    case 'r':
        return parse_number(value, "The file descriptor", INT_MAX, &o->ready_fd, err);
    case 'i':
        return take_idle_span(o, value, err);
    case 'o':
        o->ollama = true;
        return true;
    case 'h':
        o->help = true;
        return true;
    case 'l':
        if (log_level_parse(value, &o->log_level)) return true;
        return error_set(err, ERR_INVALID_REQUEST,
                         "The log level must be error, warn, info or debug, not '%.40s'.",
                         value);
    default:
        assert(false && "flag");
        return false;
    }
}

static bool fail_flag(const char *word, struct error *err) {
    return error_set(err, ERR_INVALID_REQUEST,
                     "Unknown or incomplete option '%.40s'; see `doze serve --help`.", word);
}

static bool take_flags(int argc, char **argv, struct serve_options *o, struct error *err) {
    static const struct option flags[] = { { "host", required_argument, NULL, 'H' },
                                           { "port", required_argument, NULL, 'p' },
                                           { "ollama", no_argument, NULL, 'o' },
                                           { "models-dir", required_argument, NULL, 'm' },
                                           { "state-dir", required_argument, NULL, 's' },
                                           { "log-level", required_argument, NULL, 'l' },
                                           { "exit-when-idle", required_argument, NULL, 'i' },
                                           { "ready-fd", required_argument, NULL, 'r' },
                                           { "help", no_argument, NULL, 'h' },
                                           { 0 } };
    int flag;
    optind = 0;
    opterr = 0;
    while ((flag = getopt_long(argc, argv, "h", flags, NULL)) != -1) {
        if (flag == '?') return fail_flag(argv[optind - (*argv[optind - 1] == '-')], err);
        if (!take_flag(o, flag, optarg, err)) return false;
    }
    if (optind == argc) return true;
    return error_set(err, ERR_INVALID_REQUEST,
                     "`doze serve` takes no argument '%.40s'; see `doze serve --help`.",
                     argv[optind]);
}

static bool take_environment(struct serve_options *o, struct error *err) {
    const char *host = getenv("DOZE_HOST"), *port = getenv("DOZE_PORT");
    o->host = xstrdup(host && *host ? host : "127.0.0.1");
    o->port = 1234;
    o->state_dir = user_state_dir();
    return !port || !*port || parse_port(port, &o->port, err);
}

bool serve_options_parse(int argc, char **argv, struct serve_options *ret_options,
                         struct error *err) {
    struct serve_options *o = ret_options;
    *o = (struct serve_options){ .log_level = LOG_LEVEL_INFO,
                                 .ready_fd = -1,
                                 .exit_when_idle = MSEC_NEVER };
    if (!take_environment(o, err) || !take_flags(argc, argv, o, err)) return false;
    if (o->model_dir_count > 0) return true;
    const char *dirs = getenv("DOZE_MODELS_DIR");
    if (dirs && *dirs) return add_dirs(o, dirs, err);
    add_default_dirs(o);
    return true;
}

void serve_options_clear(struct serve_options *options) {
    free(options->host);
    free(options->state_dir);
    for (size_t i = 0; i < options->model_dir_count; i++) free(options->model_dirs[i]);
    *options = (struct serve_options){ .ready_fd = -1 };
}
