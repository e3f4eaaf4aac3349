/* SPDX-License-Identifier: MIT */
/*
 * Numbers for people: three or more digits and a unit. Each function writes a
 * NUL-terminated text of less than HUMAN_BYTES, in ASCII, in every locale.
 */
#ifndef READERS_HUMAN_H
#define READERS_HUMAN_H

#include <stdint.h>

#define HUMAN_BYTES 48

/* 850ns 12.3us 4.56ms 1.23s 4321s */
void human_time(char text[HUMAN_BYTES], double ns);
/* 512B 1.50KiB 23.4MiB */
void human_bytes(char text[HUMAN_BYTES], double bytes);
/* Six digits at most: 12.5 87.3125 1.5e+20 NaN +Inf */
void human_number(char text[HUMAN_BYTES], double value);
void human_integer(char text[HUMAN_BYTES], int64_t value);
/* 1d 02h03m04s, 3m04s, 4.25s: how long something has been up. */
void human_uptime(char text[HUMAN_BYTES], uint64_t ns);

#endif
