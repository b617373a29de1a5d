/* SPDX-License-Identifier: MIT */
/* hash.h - FNV-1a with 64 bits, for keys that live in this process only. */
#ifndef DOZE_BASE_HASH_H
#define DOZE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BEGIN UINT64_C(14695981039346656037)

uint64_t hash_add(uint64_t hash, const void *bytes, size_t len);

#endif
