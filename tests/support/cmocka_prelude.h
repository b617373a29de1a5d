/* SPDX-License-Identifier: MIT */
/* cmocka_prelude.h - cmocka.h and the headers that it needs before it. */
#ifndef TESTS_SUPPORT_CMOCKA_PRELUDE_H
#define TESTS_SUPPORT_CMOCKA_PRELUDE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
