/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/health.h"

/* Running answers get 10 s to finish, workers 10 s to go. */
enum { WAIT_MS = 30000 };

/* The pid that /health tells means something on this machine only. */
static bool is_this_machine(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 ||
           strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

/* Ask the process to end and wait until it has. A descriptor instead of the number: the number
 * may be another process's by then. */
static enum cli_exit stop_process(pid_t pid) {
    int fd = pidfd_open(pid, 0);
    if (fd < 0 && errno == ESRCH) return CLI_DONE;
    if (fd < 0 || pidfd_send_signal(fd, SIGTERM, NULL, 0) != 0) {
        int reason = errno;
        if (fd >= 0) close(fd);
        if (reason == ESRCH) return CLI_DONE;
        return cli_fail(CLI_FAILED, "The server (pid %d) could not be told to stop: %s.",
                        (int)pid, strerror(reason));
    }
    struct pollfd gone = { .fd = fd, .events = POLLIN };
    int ready = poll(&gone, 1, WAIT_MS);
    close(fd);
    if (ready == 1) return CLI_DONE;
    return cli_fail(CLI_FAILED, "The server (pid %d) still runs after %d s; see its log.",
                    (int)pid, WAIT_MS / 1000);
}

static enum cli_exit stop_run(const struct cli *cli, const void *values) {
    (void)values;
    struct health health;
    struct error err;
    if (!is_this_machine(client_host(cli))) {
        return cli_fail(CLI_USAGE,
                        "Only a server on this machine can be stopped, not one on %s.",
                        cli->host);
    }
    enum outcome outcome = health_fetch(cli, &health, &err);
    if (outcome == OUTCOME_UNREACHABLE) {
        return cli_fail(CLI_UNREACHABLE, "The server is not running on port %d.",
                        (int)cli->port.value);
    }
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    enum cli_exit code = stop_process((pid_t)health.pid);
    if (code == CLI_DONE) printf("Stopped the server on port %d.\n", (int)cli->port.value);
    return code;
}

const struct command command_server_stop = {
    .name = "server stop",
    .summary = "Stop the server and wait until it is gone",
    .details = "Running answers may finish (10 s at most); every model is unloaded.",
    .run = stop_run,
};
