/* SPDX-License-Identifier: MIT */
/*
 * The section "window" from msgpack. What its series are is known from "metrics":
 * those that are not there are ignored, those that it lacks have no values in it.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "derive.h"
#include "text.h"

static void clear_values(struct astshm_series *series)
{
	series->threads = NULL;
	series->thread_count = 0;
	if (series->kind == ASTSHM_KIND_COUNTER) {
		series->counter.increase = 0; /* the value is the lifetime's, as in any interval */
		series->counter.rate = 0;
		series->counter.has_rate = true;
	} else if (series->kind == ASTSHM_KIND_GAUGE) {
		series->gauge = (struct astshm_gauge_value){ .current = (double)NAN };
	} else {
		series->histogram = (struct astshm_histogram){
			.first_slot = ASTSHM_HISTOGRAM_FIRST, .has_buckets = true
		};
	}
}

/* The snapshot's series in the same places, without values. */
static struct astshm_snapshot *create_window(const struct astshm_snapshot *snapshot)
{
	struct astshm_snapshot *window = derive_create(snapshot, snapshot->series_count);
	if (!window)
		return NULL;
	for (size_t i = 0; i < snapshot->series_count; i++) {
		window->series[i] = snapshot->series[i];
		clear_values(&window->series[i]);
	}
	window->series_count = snapshot->series_count;
	window->families = snapshot->families;
	window->family_count = snapshot->family_count;
	snapshot_index_kinds(window);
	return window;
}

/* A key of this kind, wherever it stands: documents may be sorted otherwise. */
static struct astshm_series *find_series(struct astshm_snapshot *window, enum astshm_kind kind,
					 struct unpack_slice key)
{
	char *text = strndup((const char *)key.at, key.size);
	const struct astshm_series *found =
		text != NULL ? astshm_snapshot_find(window, kind, text) : NULL;
	free(text);
	return found != NULL ? &window->series[found - window->series] : NULL;
}

static int read_kind(struct decoder *decoder, enum astshm_kind kind, struct unpack_slice part)
{
	struct unpack_slice inside, key, value;
	uint32_t pairs;
	int code = unpack_map(part, &inside, &pairs);
	for (uint32_t i = 0; code == 0 && i < pairs; i++) {
		code = unpack_pair(&inside, &key, &value);
		struct astshm_series *series =
			code == 0 ? find_series(decoder->snapshot, kind, key) : NULL;
		if (series != NULL)
			code = decode_window_series(decoder, value, series);
	}
	return code;
}

static int read_value(struct decoder *decoder, struct unpack_slice key, struct unpack_slice value,
		      struct astshm_snapshot *window)
{
	msgpack_unpacked unpacked;
	double seconds = 0;
	msgpack_unpacked_init(&unpacked);
	decoder->fault = value.at;
	decoder->what = "a window without its time";
	int code = unpack_object(value, &unpacked);
	const msgpack_object *object = &unpacked.data;
	if (code == 0 && unpack_is_key(key, "seconds")) {
		code = unpack_real(object, &seconds);
		window->interval_ns = number_ns(seconds);
	} else if (code == 0 && (object->type != MSGPACK_OBJECT_STR ||
				 !text_parse_timestamp(object->via.str.ptr, object->via.str.size,
						       &window->timestamp_ns))) {
		code = -EBADMSG;
	}
	msgpack_unpacked_destroy(&unpacked);
	return code;
}

static int read_pair(struct decoder *decoder, struct unpack_slice key, struct unpack_slice value)
{
	if (unpack_is_key(key, "seconds") || unpack_is_key(key, "to"))
		return read_value(decoder, key, value, decoder->snapshot);
	for (int k = 0; k < SNAPSHOT_KINDS; k++)
		if (unpack_is_key(key, decode_kinds[k].plural))
			return read_kind(decoder, decode_kinds[k].kind, value);
	return 0;
}

/* decoder->snapshot is the window here. */
static int read_window(struct decoder *decoder, struct unpack_slice part)
{
	struct unpack_slice inside, key, value;
	uint32_t pairs;
	decoder->snapshot->interval_ns = 0;
	int code = unpack_map(part, &inside, &pairs);
	for (uint32_t i = 0; code == 0 && i < pairs; i++) {
		code = unpack_pair(&inside, &key, &value);
		if (code == 0)
			code = read_pair(decoder, key, value);
	}
	if (code == 0 && decoder->snapshot->interval_ns == 0) {
		decoder->fault = part.at;
		decoder->what = "a window without its length";
		code = -EBADMSG;
	}
	return code;
}

int decode_window(struct decoder *decoder, struct unpack_slice part)
{
	struct astshm_snapshot *snapshot = decoder->snapshot;
	struct astshm_snapshot *window = create_window(snapshot);
	decoder->fault = part.at;
	decoder->what = "not a window";
	if (window == NULL)
		return -ENOMEM;
	decoder->snapshot = window;
	int code = read_window(decoder, part);
	decoder->snapshot = snapshot;
	snapshot->window = window;
	return code;
}
