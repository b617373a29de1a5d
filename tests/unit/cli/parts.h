/* SPDX-License-Identifier: MIT */
/* parts.h - the groups of tests of the command line's pure parts. */
#ifndef DOZE_TESTS_PARTS_H
#define DOZE_TESTS_PARTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int run_parts(void);
int run_sse(void);
int run_docs(void);

#endif
