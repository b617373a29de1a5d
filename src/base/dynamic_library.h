/* SPDX-License-Identifier: MIT */
/* dynamic_library.h - a shared library that is loaded when a command needs it. */
#ifndef DOZE_BASE_DYNAMIC_LIBRARY_H
#define DOZE_BASE_DYNAMIC_LIBRARY_H

#include <stdbool.h>

/* Write the address of the library's function into *place, a pointer to a function. False if
 * there is none of this name. */
bool dynamic_library_take(void *handle, const char *name, void *place);

#endif
