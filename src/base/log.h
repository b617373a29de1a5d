/* SPDX-License-Identifier: MIT */
/*
 * log.h - log lines on stderr, for the person who runs doze.
 *
 * One line per call: "2026-11-22T14:03:07.123 info  text"; for the journal "<6>text". Only
 * edges log (daemon, commands, worker main); library code returns errors instead. Main thread
 * only.
 */
#ifndef DOZE_BASE_LOG_H
#define DOZE_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped. Default: LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* If stderr is systemd's journal (JOURNAL_STREAM, systemd.exec(5)), begin each line with its
 * syslog priority, which the journal takes off and filters by, instead of the time and the
 * level, which it has itself. */
void log_find_journal(void);

/* "error", "warn", "info" or "debug"; false for any other word. */
bool log_level_parse(const char *word, enum log_level *ret_level);
const char *log_level_name(enum log_level level);

/* Also call fn with every line that is printed; NULL: no longer. The text is borrowed. */
void log_set_listener(void (*fn)(void *ctx, enum log_level level, const char *text), void *ctx);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
