/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "pcp.h"

bool bench_pcp_built(void)
{
	return false;
}

struct bench_pcp *bench_pcp_open(void)
{
	return NULL;
}

void bench_pcp_close(struct bench_pcp *pcp)
{
	(void)pcp;
}

void bench_pcp_add(struct bench_pcp *pcp, uint64_t iterations)
{
	(void)pcp;
	(void)iterations;
}

void bench_pcp_add_named(struct bench_pcp *pcp, uint64_t iterations)
{
	(void)pcp;
	(void)iterations;
}

uint64_t bench_pcp_read(struct bench_pcp *pcp)
{
	(void)pcp;
	return 0;
}
