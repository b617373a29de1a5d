/* SPDX-License-Identifier: MIT */
#include "cli/line_editor.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/xalloc.h"
#include "cli/edit_library.h"
#include "cli/interrupt.h"
#include "cli/text.h"

enum { HISTORY_MAX = 1000, PASTE_MAX = 1 << 20, PROMPT_MAX = 256, CTRL_C = 3 };

struct line_editor {
    const struct edit_library *lib;
    EditLine *el;
    History *history;
    const char *history_path;
    int interrupt_fd;
    bool interrupted;
    char prompt[PROMPT_MAX];
};

static struct line_editor *editor_of(EditLine *el) {
    struct error ignored;
    void *editor = NULL;
    edit_library_get(&ignored)->el_get(el, EL_CLIENTDATA, &editor);
    return editor;
}

/* --- keys --- */

/* Wait for input; false: Ctrl-C came first. */
static bool wait_key(const struct line_editor *e) {
    struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                            { .fd = e->interrupt_fd, .events = POLLIN } };
    while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
    if (!fds[1].revents) return true;
    interrupt_drain(e->interrupt_fd);
    return false;
}

/* EL_GETCFN: one character, read byte by byte. 1: there is one, 0: the input has ended. */
static int read_key(EditLine *el, wchar_t *ret_key) {
    mbstate_t state = { 0 };
    if (!wait_key(editor_of(el))) {
        *ret_key = CTRL_C;
        return 1;
    }
    for (;;) {
        char byte;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return 0;
        size_t used = mbrtowc(ret_key, &byte, 1, &state);
        if (used == (size_t)-2) continue;
        if (used == (size_t)-1) *ret_key = L'?';
        return 1;
    }
}

static unsigned char on_interrupt(EditLine *el, int key) {
    (void)key;
    editor_of(el)->interrupted = true;
    return CC_EOF;
}

/* Read the keys of a paste, up to the sequence that ends it. */
static size_t read_paste(struct line_editor *e, wchar_t *text, size_t max) {
    static const wchar_t end[] = L"\033[201~";
    const size_t end_len = sizeof end / sizeof *end - 1;
    size_t len = 0;
    wchar_t key;
    while (e->lib->el_wgetc(e->el, &key) == 1 && key != CTRL_C) {
        if (len == max) continue;
        text[len++] = key == L'\r' ? L'\n' : key;
        bool ended = len >= end_len && wmemcmp(text + len - end_len, end, end_len) == 0;
        if (ended) return len - end_len;
    }
    return len;
}

/* Control characters but newline and tab would be commands of the terminal. */
static void clean_paste(wchar_t *text, size_t len) {
    while (len > 0 && text[len - 1] == L'\n') len--;
    text[len] = L'\0';
    for (size_t i = 0; i < len; i++) {
        if (text[i] < L' ' && text[i] != L'\n' && text[i] != L'\t') text[i] = L'?';
        if (text[i] == 0x7f) text[i] = L'?';
    }
}

static unsigned char on_paste(EditLine *el, int key) {
    struct line_editor *e = editor_of(el);
    wchar_t *text = xcalloc(PASTE_MAX + 1, sizeof *text);
    (void)key;
    clean_paste(text, read_paste(e, text, PASTE_MAX));
    int inserted = *text ? e->lib->el_winsertstr(el, text) : 0;
    free(text);
    return inserted == 0 ? CC_REFRESH : CC_ERROR;
}

/* --- the editor --- */

static char *give_prompt(EditLine *el) {
    return editor_of(el)->prompt;
}

static void open_history(struct line_editor *e) {
    HistEvent event;
    e->lib->history(e->history, &event, H_SETSIZE, HISTORY_MAX);
    e->lib->history(e->history, &event, H_SETUNIQUE, 1);
    if (e->history_path) e->lib->history(e->history, &event, H_LOAD, e->history_path);
    e->lib->el_set(e->el, EL_HIST, e->lib->history, e->history);
}

/* "\1" begins and ends what takes no room in the prompt. el_set would copy the names of the
 * functions and leak them. */
static void set_up(struct line_editor *e) {
    const struct edit_library *lib = e->lib;
    lib->el_set(e->el, EL_CLIENTDATA, e);
    lib->el_set(e->el, EL_EDITOR, "emacs");
    lib->el_wset(e->el, EL_GETCFN, read_key);
    lib->el_set(e->el, EL_PROMPT_ESC, give_prompt, '\1');
    lib->el_wset(e->el, EL_ADDFN, L"doze-interrupt", L"Discard the line", on_interrupt);
    lib->el_wset(e->el, EL_ADDFN, L"doze-paste", L"Insert a pasted text", on_paste);
    lib->el_set(e->el, EL_BIND, "^C", "doze-interrupt", NULL);
    lib->el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    lib->el_set(e->el, EL_BIND, "\\e[200~", "doze-paste", NULL);
    lib->el_set(e->el, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
    lib->el_set(e->el, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
    lib->el_set(e->el, EL_BIND, "\\e[3~", "ed-delete-next-char", NULL);
}

struct line_editor *line_editor_open(int interrupt_fd, const char *history, struct error *err) {
    const struct edit_library *lib = edit_library_get(err);
    if (!lib) return NULL;
    struct line_editor *e = xcalloc(1, sizeof *e);
    *e = (struct line_editor){ .lib = lib,
                               .el = lib->el_init("doze", stdin, stderr, stderr),
                               .history = lib->history_init(),
                               .history_path = history,
                               .interrupt_fd = interrupt_fd };
    if (e->el && e->history) {
        set_up(e);
        open_history(e);
        return e;
    }
    line_editor_close(e);
    error_set(err, ERR_IO, "The terminal cannot be used; ask one question with -p.");
    return NULL;
}

void line_editor_close(struct line_editor *e) {
    if (e->el) e->lib->el_end(e->el);
    if (e->history) e->lib->history_end(e->history);
    free(e);
}

static const char *read_line(struct line_editor *e, int *ret_len) {
    static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";
    bool able = text_moves_cursor(stderr);
    if (able) fputs(paste_on, stderr);
    fflush(stderr);
    e->lib->el_resize(e->el);
    /* Show the prompt here: libedit would delay it if keys were typed already, and lose a
     * Ctrl-D that comes in between. */
    e->lib->el_set(e->el, EL_PREP_TERM, 1);
    const char *line = e->lib->el_gets(e->el, ret_len);
    if (able) fputs(paste_off, stderr);
    fflush(stderr);
    return line;
}

enum line line_editor_read(struct line_editor *e, const char *prompt, struct buf *ret_line) {
    int len = 0;
    snprintf(e->prompt, sizeof e->prompt, "\1%s\1%s\1%s\1", text_begin(stderr, STYLE_BOLD),
             prompt, text_end(stderr));
    if (!text_colored(stderr)) snprintf(e->prompt, sizeof e->prompt, "%s", prompt);
    e->interrupted = false;
    const char *line = read_line(e, &len);
    buf_reset(ret_line);
    if (e->interrupted) return LINE_INTERRUPTED;
    if (!line || len <= 0) return LINE_END;
    if (line[len - 1] == '\n') len--;
    buf_add(ret_line, line, (size_t)len);
    return LINE_READ;
}

void line_editor_remember(struct line_editor *e, const char *text) {
    HistEvent event;
    e->lib->history(e->history, &event, H_ENTER, text);
    if (e->history_path) e->lib->history(e->history, &event, H_SAVE, e->history_path);
}
