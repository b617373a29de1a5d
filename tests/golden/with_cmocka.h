/* SPDX-License-Identifier: MIT */
/* with_cmocka.h - cmocka.h and the headers it needs before it. */
#ifndef DOZE_TESTS_WITH_CMOCKA_H
#define DOZE_TESTS_WITH_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
