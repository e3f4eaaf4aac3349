/* SPDX-License-Identifier: MIT */
/*
 * Performance Co-Pilot's memory-mapped values: a mapped file of metrics that
 * another process reads. Its additions are not atomic: one thread alone.
 */
#ifndef BENCH_RIVALS_PCP_H
#define BENCH_RIVALS_PCP_H

#include <stdbool.h>
#include <stdint.h>

#define BENCH_PCP_METRICS 100u /* its search by name is linear */
#define BENCH_PCP_NAME "requests.042" /* one in the middle */

struct bench_pcp;

bool bench_pcp_built(void);
struct bench_pcp *bench_pcp_open(void);
void bench_pcp_close(struct bench_pcp *pcp);
void bench_pcp_add(struct bench_pcp *pcp, uint64_t iterations);
void bench_pcp_add_named(struct bench_pcp *pcp, uint64_t iterations);
uint64_t bench_pcp_read(struct bench_pcp *pcp);

#endif
