/* SPDX-License-Identifier: MIT */
/* The reader library's encoders, writing into memory that is thrown away. */
#ifndef BENCH_ENCODERS_H
#define BENCH_ENCODERS_H

#include <astshm/reader.h>

#define BENCH_ENCODERS 5u

struct bench_output {
	size_t bytes;
};

const char *bench_encoder_name(unsigned encoder);
void bench_encode(unsigned encoder, const struct astshm_snapshot *snapshot,
		  struct bench_output *output);
/* Of a JSON document, which a parser of others reads; 0: another encoder. */
size_t bench_count_numbers(unsigned encoder, const struct astshm_snapshot *snapshot);

#endif
