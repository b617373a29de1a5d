/* SPDX-License-Identifier: MIT */
/* with_cmocka.h - cmocka and what it wants before itself. */
#ifndef DOZE_TEST_PROMPTS_WITH_CMOCKA_H
#define DOZE_TEST_PROMPTS_WITH_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
