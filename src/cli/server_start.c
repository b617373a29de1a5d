/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/json.h"
#include "base/user_dirs.h"
#include "base/xalloc.h"
#include "cli/health.h"
#include "cli/server_start.h"
#include "cli/show.h"

struct server_start_values {
    const char *bind, *state_dir;
    bool cors, json;
};

static const struct option_row server_start_options[] = {
    OPTION(server_start, bind, "bind", 0, "<address>", "Address to listen on (as --host)"),
    FLAG(server_start, cors, "cors", 0, "Set the setting cors: allow other origins"),
    OPTION(server_start, state_dir, "state-dir", 0, "<dir>",
           "Folder for settings and doze.log"),
    FLAG(server_start, json, "json", 0, "Print JSON"),
};

enum { READY_FD = 3, WAIT_MS = 60000, MAX_PASSED = 32, TAIL_BYTES = 4096 };

/* A daemon that is being started. */
struct start {
    const struct server_start_values *values;
    struct cli cli; /* how to reach it; its port is set once it listens. The arguments are those
                       after --, for `doze serve` */
    char log_path[4096];
    int log_fd, ready_fd; /* ready_fd: it writes its port there */
    off_t log_start;      /* its own lines begin here */
    pid_t pid;
};

static bool open_log(struct start *s, struct error *err) {
    char *dir = s->values->state_dir ? xstrdup(s->values->state_dir) : user_state_dir();
    snprintf(s->log_path, sizeof s->log_path, "%s/doze.log", dir);
    bool made = dirs_make(dir, 0700, err);
    free(dir);
    if (!made) return false;
    s->log_fd = open(s->log_path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (s->log_fd < 0) {
        return error_set(err, ERR_IO, "The log %s cannot be written: %s; choose --state-dir.",
                         s->log_path, strerror(errno));
    }
    s->log_start = lseek(s->log_fd, 0, SEEK_END);
    return true;
}

/* doze serve --host H --port P --ready-fd 3 [--state-dir D] [arguments after --], NULL. */
static void build_args(const struct start *s, char *self, char *port, char **args) {
    size_t n = 0;
    char *const fixed[] = { self,
                            (char *)"serve",
                            (char *)"--host",
                            (char *)(uintptr_t)s->cli.host,
                            (char *)"--port",
                            port,
                            (char *)"--ready-fd",
                            (char *)"3" };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) args[n++] = fixed[i];
    if (s->values->state_dir) {
        args[n++] = (char *)"--state-dir";
        args[n++] = (char *)(uintptr_t)s->values->state_dir;
    }
    for (int i = 0; i < s->cli.arg_count; i++) args[n++] = s->cli.args[i];
    args[n] = NULL;
}

/* It has a session of its own, so that closing the terminal does not end it, and inherits only
 * the log and the pipe. */
static int spawn(struct start *s, char *self, char **args, int ready_write) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, s->log_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, s->log_fd, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&files, ready_write, READY_FD);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    int reason = posix_spawn(&s->pid, self, &files, &attributes, args, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return reason;
}

static bool start_process(struct start *s, struct error *err) {
    char self[4096], port[24], *args[16 + MAX_PASSED];
    int ends[2];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        return error_set(err, ERR_IO, "The server cannot be started: %s.", strerror(errno));
    }
    self[len] = '\0';
    snprintf(port, sizeof port, "%d", (int)s->cli.port.value);
    build_args(s, self, port, args);
    int reason = spawn(s, self, args, ends[1]);
    close(ends[1]);
    s->ready_fd = ends[0];
    if (reason == 0) return true;
    close(ends[0]);
    return error_set(err, ERR_IO, "%s cannot be run: %s.", self, strerror(reason));
}

/* The sentence in "doze: text", "doze serve: text" or "<time> error text". */
static const char *sentence(const char *line) {
    static const char *const marks[] = { "doze: ", "doze serve: ", " error " };
    const char *text = line;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *mark = strstr(line, marks[i]);
        if (mark && mark - line < 32) text = mark + strlen(marks[i]);
    }
    return text;
}

/* The last line that the server wrote; "" if it wrote nothing. */
static void read_last_line(const struct start *s, char text[TAIL_BYTES + 1]) {
    off_t end = lseek(s->log_fd, 0, SEEK_END), from = end - TAIL_BYTES;
    if (from < s->log_start) from = s->log_start;
    ssize_t len = pread(s->log_fd, text, TAIL_BYTES, from);
    while (len > 0 && text[len - 1] == '\n') len--;
    text[len > 0 ? len : 0] = '\0';
    const char *newline = strrchr(text, '\n');
    const char *words = sentence(newline ? newline + 1 : text);
    memmove(text, words, strlen(words) + 1);
}

static bool fail_start(struct start *s, const char *what, struct error *err) {
    char text[TAIL_BYTES + 1];
    read_last_line(s, text);
    return error_set(err, ERR_IO, "The server %s%s%s (log: %s)", what, *text ? ": " : "", text,
                     s->log_path);
}

/* Read "PORT\n" from the pipe. If the pipe ends first, the server has ended. */
static bool wait_ready(struct start *s, struct error *err) {
    char text[16] = "";
    size_t len = 0;
    struct pollfd ready = { .fd = s->ready_fd, .events = POLLIN };
    while (len + 1 < sizeof text && !memchr(text, '\n', len)) {
        if (poll(&ready, 1, WAIT_MS) != 1) {
            kill(s->pid, SIGTERM);
            return fail_start(s, "did not listen in time", err);
        }
        ssize_t got = read(s->ready_fd, text + len, sizeof text - 1 - len);
        if (got <= 0) {
            waitpid(s->pid, NULL, 0);
            return fail_start(s, "could not start", err);
        }
        len += (size_t)got;
    }
    s->cli.port.value = strtol(text, NULL, 10);
    return true;
}

static bool start_up(struct start *s, struct error *err) {
    if (!open_log(s, err)) return false;
    bool ok = start_process(s, err);
    if (ok) {
        ok = wait_ready(s, err);
        close(s->ready_fd);
    }
    close(s->log_fd);
    return ok;
}

static enum cli_exit allow_cors(const struct cli *cli) {
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    struct error err;
    yyjson_mut_obj_add_bool(body, root, "cors", true);
    struct call call = { .method = "PATCH", .path = "/api/v1/settings", .body = body };
    enum outcome outcome = client_call(cli, &call, NULL, &err);
    yyjson_mut_doc_free(body);
    return client_fail(outcome, &err);
}

static void print_json(const struct start *s, bool fresh) {
    char base[300];
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    client_base(&s->cli, base);
    yyjson_mut_obj_add_bool(doc, root, "running", true);
    yyjson_mut_obj_add_int(doc, root, "port", s->cli.port.value);
    yyjson_mut_obj_add_int(doc, root, "pid", s->pid);
    yyjson_mut_obj_add_str(doc, root, "url", base);
    yyjson_mut_obj_add_bool(doc, root, "started", fresh);
    show_json(doc);
}

static void print_running(const struct start *s, bool fresh) {
    char base[300];
    client_base(&s->cli, base);
    printf(fresh ? "Success! Server is now running on port %d\n%s\n"
                 : "The server is already running on port %d\n%s\n",
           (int)s->cli.port.value, base);
    if (s->values->cors)
        puts("Web pages of other origins are allowed (the setting cors is on).");
    if (fresh) printf("Log: %s\n", s->log_path);
}

/* Options that only a new server takes. */
static void warn_unused(const struct start *s) {
    const struct server_start_values *v = s->values;
    if (!v->bind && !v->state_dir && s->cli.arg_count == 0) return;
    fprintf(stderr, "doze: Without effect on a running server:%s%s", v->bind ? " --bind" : "",
            v->state_dir ? " --state-dir" : "");
    for (int i = 0; i < s->cli.arg_count; i++) fprintf(stderr, " %s", s->cli.args[i]);
    fprintf(stderr, "; stop it first.\n");
}

enum cli_exit server_start_quietly(const struct cli *cli, struct health *ret_health) {
    static const struct server_start_values none;
    struct start start = { .values = &none, .cli = *cli };
    struct error err;
    enum outcome outcome = health_fetch(cli, ret_health, &err);
    if (outcome == OUTCOME_UNREACHABLE) {
        if (!start_up(&start, &err)) return cli_fail(CLI_FAILED, "%s", err.text);
        outcome = health_fetch(&start.cli, ret_health, &err);
    }
    return client_fail(outcome, &err);
}

static enum cli_exit server_start_run(const struct cli *cli, const void *values) {
    struct start start = { .values = values, .cli = *cli };
    struct health health = { 0 };
    struct error err;
    enum outcome outcome = OUTCOME_UNREACHABLE;
    if (start.values->bind) start.cli.host = start.values->bind;
    if (start.values->state_dir) setenv("DOZE_STATE_DIR", start.values->state_dir, 1);
    if (cli->port.value != 0) outcome = health_fetch(&start.cli, &health, &err);
    bool fresh = outcome == OUTCOME_UNREACHABLE;
    if (fresh) {
        if (!start_up(&start, &err)) return cli_fail(CLI_FAILED, "%s", err.text);
        (void)health_fetch(&start.cli, &health, &err); /* finds out whether it speaks TLS */
    } else if (outcome != OUTCOME_DONE) {
        return client_fail(outcome, &err);
    } else {
        start.pid = (pid_t)health.pid;
        warn_unused(&start);
    }
    enum cli_exit code = start.values->cors ? allow_cors(&start.cli) : CLI_DONE;
    if (code != CLI_DONE) return code;
    (start.values->json ? print_json : print_running)(&start, fresh);
    return CLI_DONE;
}

const struct command command_server_start = {
    COMMAND(server_start, "server start", "[-- <serve options>]", 0, MAX_PASSED),
    .summary = "Start the server in the background",
    .details = "Returns when the server answers. --port 0 takes any free port. What follows "
               "-- goes to `doze serve`.",
};
