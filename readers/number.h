/* SPDX-License-Identifier: MIT */
/*
 * Numbers as text: exact, and the same in every locale. Each function writes
 * at `p` without a NUL and returns the end; NUMBER_BYTES are always enough.
 */
#ifndef READERS_NUMBER_H
#define READERS_NUMBER_H

#include <stdint.h>

#define NUMBER_BYTES 64

__extension__ typedef unsigned __int128 number_u128;

static inline number_u128 number_join(uint64_t high, uint64_t low)
{
	return (number_u128)high << 64 | low;
}

char *number_put_u64(char *p, uint64_t value);
char *number_put_i64(char *p, int64_t value);
char *number_put_u128(char *p, number_u128 value);

/*
 * value / 10^decimals, decimals <= 12, trailing zeros cut but for one digit
 * behind the point: 1500000000 with 9 decimals is 1.5. 0 decimals: an integer.
 */
char *number_put_fixed(char *p, number_u128 value, unsigned decimals);

/* A finite double in the fewest digits that read back as the same double. */
char *number_put_double(char *p, double value);

/* value / 10^decimals as the nearest double (decimals <= 12). */
double number_scale(number_u128 value, unsigned decimals);

/* The integer nearest to seconds * 10^9; 0 for NaN and below, capped above. */
uint64_t number_ns(double seconds);

#endif
