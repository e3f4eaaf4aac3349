/* SPDX-License-Identifier: MIT */
/* Where figures come from: without it they say nothing. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

struct bench_machine {
	char processor[128];
	char kernel[96];
	char compiler[64];
	char clock_source[32];
	char date[32]; /* UTC, ISO 8601 */
	unsigned cores;
};

void bench_machine_look(struct bench_machine *machine);

#endif
