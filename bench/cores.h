/* SPDX-License-Identifier: MIT */
/* Which cores there are, and staying on one. */
#ifndef BENCH_CORES_H
#define BENCH_CORES_H

/* Cores that this process may use. */
unsigned bench_core_count(void);
/* Keeps the calling thread on the i-th of them, counted round and round. */
void bench_pin(unsigned i);

#endif
