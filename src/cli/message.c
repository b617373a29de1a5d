/* SPDX-License-Identifier: MIT */
#include "cli/message.h"

#include <string.h>

static const char quotes[] = "\"\"\"";
enum { QUOTES_LEN = sizeof quotes - 1 };

static bool ends_with_quotes(const char *line, size_t len) {
    return len >= QUOTES_LEN && memcmp(line + len - QUOTES_LEN, quotes, QUOTES_LEN) == 0;
}

static void add_quoted(struct message *m, const char *line, size_t len) {
    m->quoted = !ends_with_quotes(line, len);
    buf_add(&m->text, line, m->quoted ? len : len - QUOTES_LEN);
    m->open = m->quoted;
}

void message_add(struct message *m, const char *line, size_t len) {
    if (m->open) buf_add(&m->text, "\n", 1);
    bool begins = !m->open && len >= QUOTES_LEN && memcmp(line, quotes, QUOTES_LEN) == 0;
    if (begins) {
        add_quoted(m, line + QUOTES_LEN, len - QUOTES_LEN);
    } else if (m->quoted) {
        add_quoted(m, line, len);
    } else {
        m->open = len > 0 && line[len - 1] == '\\';
        buf_add(&m->text, line, m->open ? len - 1 : len);
    }
}

void message_reset(struct message *m) {
    buf_reset(&m->text);
    m->open = false;
    m->quoted = false;
}
