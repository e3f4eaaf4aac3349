/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <astshm/layout.h>

#include "decode.h"
#include "derive.h"
#include "statistics.h"

/* The keys slot, tid, name, owners alone take more. */
#define THREAD_BYTES_MIN 24u

/*
 * The x for which x / divisor is exactly `quotient`, if a neighbour of
 * quotient * divisor is one: what was divided once comes out the same again.
 */
static double dividend(double quotient, double divisor)
{
	double x = quotient * divisor;
	if (x / divisor == quotient)
		return x;
	double up = nextafter(x, INFINITY), down = nextafter(x, -INFINITY);
	return up / divisor == quotient ? up : down / divisor == quotient ? down : x;
}

static int read_nanoseconds(const msgpack_object *object, int64_t *value)
{
	double seconds;
	int code = unpack_real(object, &seconds);
	uint64_t size = number_ns(fabs(seconds));
	if (size > INT64_MAX)
		return -EBADMSG;
	*value = seconds < 0 ? -(int64_t)size : (int64_t)size;
	return code;
}

static int read_count(const msgpack_object *object, bool time, int64_t *value)
{
	return time ? read_nanoseconds(object, value) : unpack_i64(object, value);
}

static int read_counter(const msgpack_object *map, bool time, bool interval,
			struct astshm_counter_value *counter)
{
	const msgpack_object *value = unpack_find(map, interval ? "increase" : "value");
	if (!value)
		return -EBADMSG;
	if (!interval)
		return read_count(value, time, &counter->value);
	int code = unpack_real(unpack_find(map, "rate"), &counter->rate);
	if (time)
		counter->rate = dividend(counter->rate, 1e9);
	counter->has_rate = true;
	return code < 0 ? code : read_count(value, time, &counter->increase);
}

static int read_gauge(const msgpack_object *map, struct astshm_gauge_value *gauge)
{
	double mean;
	int code = unpack_u64(unpack_find(map, "count"), &gauge->count);
	if (code == 0)
		code = unpack_real(unpack_find(map, "current"), &gauge->current);
	if (code == 0)
		code = unpack_real(unpack_find(map, "min"), &gauge->min);
	if (code == 0)
		code = unpack_real(unpack_find(map, "max"), &gauge->max);
	if (code == 0)
		code = unpack_real(unpack_find(map, "mean"), &mean);
	if (code != 0 || !gauge->count)
		return code;
	gauge->sum = dividend(mean, (double)gauge->count);
	return 0;
}

/* --- histograms ------------------------------------------------------- */

static int read_counts(struct decoder *decoder, const msgpack_object *map, enum astshm_kind kind,
		       struct astshm_histogram *histogram)
{
	const msgpack_object *counts = unpack_find(map, "counts");
	int bias = kind == ASTSHM_KIND_TIMING ? ASTSHM_TIMING_INDEX_BIAS
					      : ASTSHM_DISTRIBUTION_INDEX_BIAS;
	int64_t offset;
	if (!counts || counts->type != MSGPACK_OBJECT_ARRAY ||
	    unpack_i64(unpack_find(map, "offset"), &offset) < 0)
		return -EBADMSG;
	uint32_t size = counts->via.array.size;
	histogram->first_slot = ASTSHM_HISTOGRAM_FIRST;
	if (!size)
		return 0;
	if (size > ASTSHM_HISTOGRAM_LAST || offset < (int)ASTSHM_HISTOGRAM_FIRST - bias ||
	    offset > (int)(ASTSHM_HISTOGRAM_LAST - size + 1) - bias)
		return -EBADMSG;
	uint64_t *slots = reader_arena_array(decoder->snapshot->arena, size, sizeof *slots);
	if (!slots)
		return -ENOMEM;
	histogram->slots = slots;
	histogram->slot_count = size;
	histogram->first_slot = (uint32_t)(offset + bias);
	for (uint32_t i = 0; i < size; i++) {
		if (unpack_u64(&counts->via.array.ptr[i], &slots[i]) < 0 ||
		    __builtin_add_overflow(histogram->count, slots[i], &histogram->count))
			return -EBADMSG;
	}
	return 0;
}

static int read_outer_counts(const msgpack_object *map, struct astshm_histogram *histogram)
{
	int code = unpack_u64(unpack_find(map, "zero_count"), &histogram->zero_count);
	if (code == 0)
		code = unpack_u64(unpack_find(map, "overflow_count"),
				  &histogram->overflow_count);
	if (code < 0 ||
	    __builtin_add_overflow(histogram->count, histogram->zero_count, &histogram->count) ||
	    __builtin_add_overflow(histogram->count, histogram->overflow_count,
				   &histogram->count))
		return -EBADMSG;
	return 0;
}

static void set_sum(struct astshm_histogram *histogram, number_u128 sum)
{
	histogram->sum = (uint64_t)sum;
	histogram->sum_hi = (uint64_t)(sum >> 64);
}

static int read_buckets(struct decoder *decoder, const msgpack_object *map, enum astshm_kind kind,
			struct astshm_histogram *histogram)
{
	const msgpack_object *min = unpack_find(map, "min"), *max = unpack_find(map, "max");
	uint64_t scale;
	number_u128 sum;
	if (unpack_u64(unpack_find(map, "scale"), &scale) < 0 || scale != ASTSHM_HISTOGRAM_SCALE)
		return -EBADMSG;
	int code = read_counts(decoder, map, kind, histogram);
	if (code == 0)
		code = read_outer_counts(map, histogram);
	if (code == 0)
		code = unpack_u128(unpack_find(map, "sum"), &sum);
	if (code == 0)
		code = unpack_u64(min, &histogram->min);
	if (code == 0)
		code = unpack_u64(max, &histogram->max);
	if (code != 0)
		return code;
	set_sum(histogram, sum);
	histogram->has_buckets = true;
	histogram->has_extremes = !histogram->count || (min && max);
	return histogram->min > histogram->max ? -EBADMSG : 0;
}

/* Seconds or the unit, as a whole number of what buckets count in. */
static int read_amount(const msgpack_object *object, enum astshm_kind kind, uint64_t *value)
{
	double amount;
	int code = unpack_real(object, &amount);
	*value = number_ns(kind == ASTSHM_KIND_TIMING ? amount : amount / 1e9);
	return code;
}

/* A document that somebody wrote without buckets: totals alone. */
static int read_totals(const msgpack_object *map, enum astshm_kind kind,
		       struct astshm_histogram *histogram)
{
	const msgpack_object *min = unpack_find(map, "min"), *max = unpack_find(map, "max");
	int code = unpack_u64(unpack_find(map, "count"), &histogram->count);
	if (code == 0)
		code = read_amount(unpack_find(map, "sum"), kind, &histogram->sum);
	if (code == 0)
		code = read_amount(min, kind, &histogram->min);
	if (code == 0)
		code = read_amount(max, kind, &histogram->max);
	histogram->has_extremes = min && max;
	return code;
}

static int read_histogram(struct decoder *decoder, const msgpack_object *map,
			  enum astshm_kind kind, struct astshm_histogram *histogram)
{
	const msgpack_object *buckets = unpack_find(map, "buckets");
	memset(histogram, 0, sizeof *histogram);
	histogram->first_slot = ASTSHM_HISTOGRAM_FIRST;
	if (buckets)
		return read_buckets(decoder, buckets, kind, histogram);
	return read_totals(map, kind, histogram);
}

/* --- threads ----------------------------------------------------------- */

static int read_thread_name(const msgpack_object *name, struct astshm_thread_value *thread)
{
	if (!name)
		return 0;
	if (name->type != MSGPACK_OBJECT_STR || name->via.str.size >= sizeof thread->name)
		return -EBADMSG;
	if (name->via.str.size)
		memcpy(thread->name, name->via.str.ptr, name->via.str.size);
	return 0;
}

static int read_thread(struct decoder *decoder, const msgpack_object *map,
		       const struct astshm_series *series, struct astshm_thread_value *thread)
{
	bool interval = decoder->snapshot->interval_ns > 0;
	int code = unpack_u32(unpack_find(map, "slot"), &thread->slot);
	if (code == 0)
		code = unpack_u32(unpack_find(map, "tid"), &thread->tid);
	if (code == 0)
		code = unpack_u32(unpack_find(map, "owners"), &thread->owners);
	if (code == 0)
		code = read_thread_name(unpack_find(map, "name"), thread);
	if (code < 0)
		return code;
	if (series->kind == ASTSHM_KIND_COUNTER)
		return read_count(unpack_find(map, interval ? "increase" : "value"),
				  statistics_is_time_counter(series->family), &thread->counter);
	if (series->kind != ASTSHM_KIND_GAUGE)
		return read_histogram(decoder, map, series->kind, &thread->histogram);
	code = read_gauge(map, &thread->gauge);
	thread->gauge.current = series->gauge.current;
	return code;
}

static int read_threads(struct decoder *decoder, const msgpack_object *list, size_t bytes,
			struct astshm_series *series)
{
	if (!list)
		return 0;
	if (list->type != MSGPACK_OBJECT_ARRAY ||
	    list->via.array.size > bytes / THREAD_BYTES_MIN)
		return -EBADMSG;
	uint32_t count = list->via.array.size;
	struct astshm_thread_value *threads =
		reader_arena_array(decoder->snapshot->arena, count, sizeof *threads);
	if (!threads)
		return -ENOMEM;
	series->threads = threads;
	series->thread_count = count;
	for (uint32_t i = 0; i < count; i++) {
		int code = read_thread(decoder, &list->via.array.ptr[i], series, &threads[i]);
		if (code < 0)
			return code;
	}
	return 0;
}

/* --- name and tags ------------------------------------------------------ */

static int compare_labels(const struct astshm_label *a, const struct astshm_label *b)
{
	size_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(a->key, b->key, shorter);
	return order ? order : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

/* Keeps tags[0..count] sorted; -EBADMSG: the key is there already. */
static int insert_label(struct astshm_label *tags, uint32_t count, struct astshm_label tag)
{
	uint32_t at = count;
	while (at > 0 && compare_labels(&tags[at - 1], &tag) > 0) {
		tags[at] = tags[at - 1];
		at--;
	}
	tags[at] = tag;
	return at > 0 && compare_labels(&tags[at - 1], &tag) == 0 ? -EBADMSG : 0;
}

static int read_tags(struct decoder *decoder, const msgpack_object *map,
		     struct astshm_series *series)
{
	struct reader_arena *arena = decoder->snapshot->arena;
	if (!map)
		return 0;
	if (map->type != MSGPACK_OBJECT_MAP || map->via.map.size > ASTSHM_TAGS_MAX)
		return -EBADMSG;
	struct astshm_label *tags = reader_arena_array(arena, map->via.map.size, sizeof *tags);
	if (!tags)
		return -ENOMEM;
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		struct astshm_label tag;
		int code = unpack_text(&map->via.map.ptr[i].key,
				       DECODE_TEXT_LIMIT(ASTSHM_TAG_KEY_MAX), arena, &tag.key,
				       &tag.key_len);
		if (code == 0)
			code = unpack_text(&map->via.map.ptr[i].val,
					   DECODE_TEXT_LIMIT(ASTSHM_TAG_VALUE_MAX), arena,
					   &tag.value, &tag.value_len);
		if (code == 0)
			code = insert_label(tags, i, tag);
		if (code < 0)
			return code;
	}
	series->tags = tags;
	series->tag_count = map->via.map.size;
	return 0;
}

/* Untagged series stand under their bare name; tagged ones say it. */
static int find_family(struct decoder *decoder, const msgpack_object *map,
		       struct unpack_slice key, struct astshm_series *series)
{
	const msgpack_object *name = unpack_find(map, "name");
	struct astshm_family wanted = { .kind = series->kind, .name = (const char *)key.at,
					.name_len = (uint32_t)key.size };
	if (name) {
		if (name->type != MSGPACK_OBJECT_STR)
			return -EBADMSG;
		wanted.name = name->via.str.ptr;
		wanted.name_len = name->via.str.size;
	}
	size_t place = derive_family_place(decoder->snapshot, &wanted);
	if (place == decoder->snapshot->family_count)
		return -EBADMSG;
	series->family = decoder->snapshot->families[place];
	series->monotonic = series->family->monotonic;
	return 0;
}

/* The key follows from name and tags: what the document has may not differ. */
static int set_key(struct decoder *decoder, struct astshm_series *series)
{
	const struct astshm_family *family = series->family;
	size_t length = snapshot_key(NULL, family->name, family->name_len, series->tags,
				     series->tag_count);
	char *key = reader_arena_alloc(decoder->snapshot->arena, length + 1);
	if (!key)
		return -ENOMEM;
	snapshot_key(key, family->name, family->name_len, series->tags, series->tag_count);
	series->key = key;
	series->key_len = (uint32_t)length;
	return 0;
}

static int read_values(struct decoder *decoder, const msgpack_object *map,
		       struct astshm_series *series)
{
	bool interval = decoder->snapshot->interval_ns > 0;
	if (series->kind == ASTSHM_KIND_COUNTER)
		return read_counter(map, statistics_is_time_counter(series->family), interval,
				    &series->counter);
	if (series->kind == ASTSHM_KIND_GAUGE)
		return read_gauge(map, &series->gauge);
	return read_histogram(decoder, map, series->kind, &series->histogram);
}

static int read_series(struct decoder *decoder, const msgpack_object *map, struct unpack_slice key,
		       size_t bytes, struct astshm_series *series)
{
	decoder->what = "not a series";
	if (map->type != MSGPACK_OBJECT_MAP)
		return -EBADMSG;
	decoder->what = "a series without a family";
	int code = find_family(decoder, map, key, series);
	if (code < 0)
		return code;
	decoder->what = "tags that cannot be";
	code = read_tags(decoder, unpack_find(map, "tags"), series);
	if (code == 0)
		code = set_key(decoder, series);
	if (code < 0)
		return code;
	decoder->what = "values that cannot be";
	code = read_values(decoder, map, series);
	if (code == 0)
		code = read_threads(decoder, unpack_find(map, "per_thread"), bytes, series);
	return code;
}

int decode_series(struct decoder *decoder, enum astshm_kind kind, struct unpack_slice key,
		  struct unpack_slice value, struct astshm_series *series)
{
	msgpack_unpacked unpacked;
	msgpack_unpacked_init(&unpacked);
	series->kind = kind;
	decoder->fault = value.at;
	int code = unpack_object(value, &unpacked);
	if (code == 0)
		code = read_series(decoder, &unpacked.data, key, value.size, series);
	msgpack_unpacked_destroy(&unpacked);
	return code;
}

/* --- in a window ---------------------------------------------------------- */

/* Known extremes are those of at least one value. */
static int read_window_gauge(const msgpack_object *map, struct astshm_gauge_value *gauge)
{
	const msgpack_object *min = unpack_find(map, "min"), *max = unpack_find(map, "max");
	int code = unpack_real(unpack_find(map, "last"), &gauge->current);
	if (code == 0)
		code = unpack_real(min, &gauge->min);
	if (code == 0)
		code = unpack_real(max, &gauge->max);
	if (code < 0 || !min || !max)
		return code;
	gauge->count = 1;
	gauge->sum = isfinite(gauge->current) ? gauge->current : gauge->max;
	return gauge->min > gauge->max ? -EBADMSG : 0;
}

/* Without buckets, which only others leave out, the sum follows from the mean. */
static int read_window_histogram(struct decoder *decoder, const msgpack_object *map,
				 enum astshm_kind kind, struct astshm_histogram *histogram)
{
	uint64_t mean;
	int code = read_histogram(decoder, map, kind, histogram);
	if (code < 0 || histogram->has_buckets)
		return code;
	code = read_amount(unpack_find(map, "mean"), kind, &mean);
	if (code == 0)
		set_sum(histogram, (number_u128)mean * histogram->count);
	return code;
}

static int read_window_values(struct decoder *decoder, const msgpack_object *map,
			      struct astshm_series *series)
{
	if (map->type != MSGPACK_OBJECT_MAP)
		return -EBADMSG;
	if (series->kind == ASTSHM_KIND_COUNTER)
		return read_counter(map, statistics_is_time_counter(series->family), true,
				    &series->counter);
	if (series->kind == ASTSHM_KIND_GAUGE)
		return read_window_gauge(map, &series->gauge);
	return read_window_histogram(decoder, map, series->kind, &series->histogram);
}

int decode_window_series(struct decoder *decoder, struct unpack_slice value,
			 struct astshm_series *series)
{
	msgpack_unpacked unpacked;
	msgpack_unpacked_init(&unpacked);
	decoder->fault = value.at;
	decoder->what = "values of a window that cannot be";
	int code = unpack_object(value, &unpacked);
	if (code == 0)
		code = read_window_values(decoder, &unpacked.data, series);
	msgpack_unpacked_destroy(&unpacked);
	return code;
}
