/* SPDX-License-Identifier: MIT */
/* size.h - numbers of bytes as people write and read them: 1 KB is 1,000 bytes. Pure. */
#ifndef DOZE_BASE_SIZE_H
#define DOZE_BASE_SIZE_H

#include <stdbool.h>

#include "base/msec.h"

/* Read a size: bytes ("4096") or a number with a unit ("8GB", "1.5 tb", "512MiB"). Units are B,
 * KB, MB, GB, TB (powers of 1,000; also without the B) and KiB, MiB, GiB, TiB (of 1,024), in
 * any case. Rounded to a byte. False for anything else and for more than 2^53 bytes. */
bool size_parse(const char *text, nbytes *ret_bytes);

enum { SIZE_TEXT = 24 };

/* "397.81 MB", as LM Studio shows sizes; bytes without decimals: "999 B". */
void size_format(nbytes bytes, char text[SIZE_TEXT]);

#endif
