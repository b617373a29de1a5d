/* SPDX-License-Identifier: MIT */
/* What cmocka.h needs before itself. */
#ifndef TESTS_UNIT_DAEMON_CMOCKA_PRELUDE_H
#define TESTS_UNIT_DAEMON_CMOCKA_PRELUDE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
