/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cli/health.h"

/* The server gives running answers 10 s to end, then workers 10 s. After QUIET_MS the person is
 * told what the command waits for. */
enum { QUIET_MS = 1000, WAIT_MS = 29000 };

static bool wait_for_end(int pid_fd) {
    struct pollfd ended = { .fd = pid_fd, .events = POLLIN };
    if (poll(&ended, 1, QUIET_MS) == 1) return true;
    fputs("Waiting for running answers to end, at most 10 s...\n", stderr);
    return poll(&ended, 1, WAIT_MS) == 1;
}

/* Ask the process to end and wait until it has. A descriptor stands for this process; its
 * number may be given to another one meanwhile. */
static enum cli_exit stop_process(pid_t pid) {
    int fd = pidfd_open(pid, 0);
    if (fd < 0 || pidfd_send_signal(fd, SIGTERM, NULL, 0) != 0) {
        int reason = errno;
        if (fd >= 0) close(fd);
        if (reason == ESRCH) return CLI_DONE;
        return cli_fail(CLI_FAILED, "The server (pid %d) cannot be signalled: %s.", (int)pid,
                        strerror(reason));
    }
    bool ended = wait_for_end(fd);
    close(fd);
    if (ended) return CLI_DONE;
    return cli_fail(CLI_FAILED, "The server (pid %d) still runs after %d s; see its log.",
                    (int)pid, (QUIET_MS + WAIT_MS) / 1000);
}

static enum cli_exit server_stop_run(const struct cli *cli, const void *values) {
    struct health health;
    struct error err;
    (void)values;
    if (!client_is_local(cli)) { /* the pid in /health means something there only */
        return cli_fail(CLI_USAGE,
                        "A server can be stopped on its own machine only, not on %s.",
                        cli->host);
    }
    enum outcome outcome = health_fetch(cli, &health, &err);
    if (outcome == OUTCOME_UNREACHABLE) {
        return cli_fail(CLI_UNREACHABLE, "No server is running on port %d.",
                        (int)cli->port.value);
    }
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    enum cli_exit code = stop_process((pid_t)health.pid);
    if (code == CLI_DONE) printf("Stopped the server on port %d.\n", (int)cli->port.value);
    return code;
}

const struct command command_server_stop = {
    .name = "server stop",
    .summary = "Stop the server and wait until it has ended",
    .details = "Running answers have 10 seconds to end; every model is unloaded.",
    .run = server_stop_run,
};
