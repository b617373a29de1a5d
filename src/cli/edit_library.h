/* SPDX-License-Identifier: MIT */
/*
 * edit_library.h - libedit (BSD licence), loaded when a conversation begins on a terminal.
 *
 * `doze serve` is the same program and must stay small while idle: see curl_library.h.
 */
#ifndef DOZE_CLI_EDIT_LIBRARY_H
#define DOZE_CLI_EDIT_LIBRARY_H

#include <histedit.h>

#include "base/error.h"

#define EDIT_FUNCTIONS(X)                                                                      \
    X(el_init)                                                                                 \
    X(el_end)                                                                                  \
    X(el_set)                                                                                  \
    X(el_get)                                                                                  \
    X(el_wset)                                                                                 \
    X(el_gets)                                                                                 \
    X(el_wgetc)                                                                                \
    X(el_winsertstr)                                                                           \
    X(el_resize)                                                                               \
    X(history_init)                                                                            \
    X(history_end)                                                                             \
    X(history)

#define EDIT_POINTER(name) __typeof__(name) *(name);
struct edit_library {
    EDIT_FUNCTIONS(EDIT_POINTER)
};
#undef EDIT_POINTER

/* Loads it once. NULL with ERR_IO if libedit is not installed. */
const struct edit_library *edit_library_get(struct error *err);

#endif
