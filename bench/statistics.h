/* SPDX-License-Identifier: MIT */
/* What the samples of one case say. */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stddef.h>

struct bench_summary {
	double median;
	double deviation; /* median absolute deviation from the median */
	double first_quartile;
	double third_quartile;
	double least;
	size_t runs;
};

/* Sorts the samples. */
struct bench_summary bench_summarize(double *samples, size_t count);
/* A quantile of sorted samples, between the two nearest. NaN without any. */
double bench_quantile(const double *sorted, size_t count, double q);
void bench_sort(double *samples, size_t count);
/* One value that has no spread: bytes, counts. */
struct bench_summary bench_exactly(double value);

#endif
