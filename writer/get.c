/* SPDX-License-Identifier: MIT */
/*
 * Reading back in-process, through the code that other processes read with: a
 * reader over the writer's own mapping.
 */
#include <errno.h>
#include <math.h>

#include "fork.h"
#include "history.h"

/* Takes the reader's lock and has a reader ready, or -ENOENT. */
static int lock_reader(struct astshm_writer *writer)
{
	if (!writer_is_reachable(writer))
		return -ENOENT;
	pthread_mutex_lock(&writer->reader_lock);
	int result = 0;
	if (!writer->reader)
		result = astshm_reader_open_memory(&writer->reader, writer->segment.base,
						   writer->segment.map_bytes, NULL);
	if (result < 0)
		pthread_mutex_unlock(&writer->reader_lock);
	return result;
}

/* Ends a read. Removed between look-up and read is removed as well. */
static int unlock_point(struct astshm_writer *writer, int result)
{
	pthread_mutex_unlock(&writer->reader_lock);
	return result == -ESTALE ? -ENOENT : result;
}

static int lock_point(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
		      const struct astshm_tag *tags, size_t tag_count, struct astshm_point *point)
{
	int result = lock_reader(writer);

	if (result < 0)
		return result;
	result = astshm_reader_resolve(writer->reader, kind, name, tags, tag_count, point);
	if (result < 0)
		pthread_mutex_unlock(&writer->reader_lock);
	return result;
}

int astshm_get_counter(struct astshm_writer *writer, const char *name,
		       const struct astshm_tag *tags, size_t tag_count, int64_t *value)
{
	struct astshm_point point;
	int result = lock_point(writer, ASTSHM_KIND_COUNTER, name, tags, tag_count, &point);

	if (result < 0)
		return result;
	return unlock_point(writer, astshm_reader_counter(writer->reader, &point, value));
}

int astshm_get_gauge(struct astshm_writer *writer, const char *name, const struct astshm_tag *tags,
		     size_t tag_count, struct astshm_gauge_value *value)
{
	struct astshm_point point;
	int result = lock_point(writer, ASTSHM_KIND_GAUGE, name, tags, tag_count, &point);

	if (result < 0)
		return result;
	return unlock_point(writer, astshm_reader_gauge(writer->reader, &point, value));
}

static void fill_statistics(const struct astshm_histogram *histogram, enum astshm_kind kind,
			    struct astshm_statistics *out)
{
	static const double q[] = { 0.5, 0.9, 0.95, 0.99, 0.999 };
	double values[5];

	astshm_histogram_quantiles(histogram, kind, q, values, 5);
	*out = (struct astshm_statistics){
		.count = histogram->count,
		.sum = (double)histogram->sum_hi * 0x1p64 + (double)histogram->sum,
		.mean = astshm_histogram_mean(histogram),
		.min = histogram->count ? (double)histogram->min : (double)NAN,
		.max = histogram->count ? (double)histogram->max : (double)NAN,
		.p50 = values[0],
		.p90 = values[1],
		.p95 = values[2],
		.p99 = values[3],
		.p999 = values[4],
	};
}

static int get_statistics(struct astshm_writer *writer, enum astshm_kind kind, const char *name,
			  const struct astshm_tag *tags, size_t tag_count,
			  struct astshm_statistics *value)
{
	uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
	struct astshm_histogram histogram;
	struct astshm_point point;
	int result = lock_point(writer, kind, name, tags, tag_count, &point);

	if (result < 0)
		return result;
	result = unlock_point(writer, astshm_reader_histogram(writer->reader, &point, &histogram,
							      slots));
	if (result == 0)
		fill_statistics(&histogram, kind, value);
	return result;
}

int astshm_get_timing(struct astshm_writer *writer, const char *name,
		      const struct astshm_tag *tags, size_t tag_count,
		      struct astshm_statistics *value)
{
	return get_statistics(writer, ASTSHM_KIND_TIMING, name, tags, tag_count, value);
}

int astshm_get_distribution(struct astshm_writer *writer, const char *name,
			    const struct astshm_tag *tags, size_t tag_count,
			    struct astshm_statistics *value)
{
	return get_statistics(writer, ASTSHM_KIND_DISTRIBUTION, name, tags, tag_count, value);
}

int writer_read(struct astshm_writer *writer, const void **bytes,
		struct astshm_history_entry *head)
{
	int result = lock_reader(writer);

	if (result < 0)
		return result;
	result = astshm_reader_encode_entry(writer->reader, bytes, head);
	if (result < 0)
		pthread_mutex_unlock(&writer->reader_lock);
	return result;
}

void writer_read_end(struct astshm_writer *writer)
{
	pthread_mutex_unlock(&writer->reader_lock);
}

int astshm_get_window(struct astshm_writer *writer, int64_t window_ns,
		      struct astshm_snapshot **snapshot, struct astshm_error *error)
{
	int result = lock_reader(writer);

	if (result < 0)
		return shm_fail(error, result, "the writer has no segment");
	result = astshm_reader_window(writer->reader, window_ns, 0, snapshot, error);
	pthread_mutex_unlock(&writer->reader_lock);
	return result;
}

int astshm_get_all_metrics(struct astshm_writer *writer, struct astshm_snapshot **snapshot,
			   struct astshm_error *error)
{
	int result = lock_reader(writer);

	if (result < 0)
		return shm_fail(error, result, "the writer has no segment");
	result = astshm_reader_snapshot(writer->reader, 0, snapshot, error);
	pthread_mutex_unlock(&writer->reader_lock);
	return result;
}
