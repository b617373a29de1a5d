/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "base/words.h"

static const char *const names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static const int priorities[] = {
    [LOG_LEVEL_ERROR] = LOG_ERR,
    [LOG_LEVEL_WARN] = LOG_WARNING,
    [LOG_LEVEL_INFO] = LOG_INFO,
    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

static bool to_journal;
static enum log_level threshold = LOG_LEVEL_INFO;
static void (*listener)(void *ctx, enum log_level level, const char *text);
static void *listener_ctx;

void log_set_level(enum log_level level) {
    threshold = level;
}

/* The variable, "device:inode", stays set in programs whose stderr has become another file. */
void log_find_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    char *end = NULL;
    struct stat file;
    to_journal = false;
    if (!stream || fstat(STDERR_FILENO, &file) != 0) return;
    bool same_device = strtoull(stream, &end, 10) == file.st_dev && *end == ':';
    to_journal = same_device && strtoull(end + 1, &end, 10) == file.st_ino && *end == '\0';
}

bool log_level_parse(const char *word, enum log_level *ret_level) {
    int found = WORDS_FIND(names, word);
    if (found < 0) return false;
    *ret_level = (enum log_level)found;
    return true;
}

const char *log_level_name(enum log_level level) {
    return names[level];
}

void log_set_listener(void (*fn)(void *ctx, enum log_level level, const char *text),
                      void *ctx) {
    listener = fn;
    listener_ctx = ctx;
}

static void print(enum log_level level, const char *text) {
    if (to_journal) {
        fprintf(stderr, "<%d>%s\n", priorities[level], text);
        return;
    }
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    struct tm tm;
    localtime_r(&ts.tv_sec, &tm);
    char stamp[32];
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    fprintf(stderr, "%s.%03ld %-5s %s\n", stamp, ts.tv_nsec / 1000000, names[level], text);
}

static void emit(enum log_level level, const char *fmt, va_list args) {
    if (level > threshold) return;
    char text[2048];
    vsnprintf(text, sizeof text, fmt, args);
    utf8_mend_line(text);
    print(level, text);
    if (listener) listener(listener_ctx, level, text);
}

#define DEFINE_LEVEL(function, level)                                                          \
    void function(const char *fmt, ...) {                                                      \
        va_list args;                                                                          \
        va_start(args, fmt);                                                                   \
        emit(level, fmt, args);                                                                \
        va_end(args);                                                                          \
    }

DEFINE_LEVEL(log_error, LOG_LEVEL_ERROR)
DEFINE_LEVEL(log_warn, LOG_LEVEL_WARN)
DEFINE_LEVEL(log_info, LOG_LEVEL_INFO)
DEFINE_LEVEL(log_debug, LOG_LEVEL_DEBUG)
