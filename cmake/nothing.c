/* SPDX-License-Identifier: MIT */
/* The only source of a target whose own are not there yet. */
extern int doze_nothing;
