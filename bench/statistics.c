/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "fail.h"
#include "statistics.h"

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_sort(double *samples, size_t count)
{
	qsort(samples, count, sizeof *samples, ascending);
}

double bench_quantile(const double *sorted, size_t count, double q)
{
	if (count == 0)
		return NAN;
	double place = q * (double)(count - 1);
	size_t below = (size_t)place;
	size_t above = below + 1 < count ? below + 1 : below;
	return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

static double median_deviation(const double *sorted, size_t count, double median)
{
	double *distances = bench_array(count, sizeof *distances);

	for (size_t i = 0; i < count; i++)
		distances[i] = fabs(sorted[i] - median);
	bench_sort(distances, count);
	double deviation = bench_quantile(distances, count, 0.5);
	free(distances);
	return deviation;
}

struct bench_summary bench_summarize(double *samples, size_t count)
{
	bench_sort(samples, count);
	double median = bench_quantile(samples, count, 0.5);
	return (struct bench_summary){
		.median = median,
		.deviation = median_deviation(samples, count, median),
		.first_quartile = bench_quantile(samples, count, 0.25),
		.third_quartile = bench_quantile(samples, count, 0.75),
		.least = bench_quantile(samples, count, 0.0),
		.runs = count,
	};
}

struct bench_summary bench_exactly(double value)
{
	return (struct bench_summary){ value, 0, value, value, value, 1 };
}
