/* SPDX-License-Identifier: MIT */
/* The events that ast-server's sender makes, as datagrams. */
#ifndef BENCH_OSC_LOAD_H
#define BENCH_OSC_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_OSC_BYTES 128u /* none is longer */
#define BENCH_OSC_KINDS 8u   /* which take turns */

/* Event `number` in its /live/seq envelope; returns its length. */
size_t bench_osc_event(uint8_t datagram[BENCH_OSC_BYTES], int32_t number);

#endif
