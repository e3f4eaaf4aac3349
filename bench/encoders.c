/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "encoders.h"
#include "fail.h"

#define PIECE (1u << 16)

static const struct {
	const char *name;
	int (*encode)(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
		      const struct astshm_encode_options *options);
} encoders[BENCH_ENCODERS] = {
	{ "JSON", astshm_encode_json },		    { "msgpack", astshm_encode_msgpack },
	{ "Prometheus", astshm_encode_prometheus }, { "table", astshm_encode_table },
	{ "summary", astshm_encode_summary },
};

const char *bench_encoder_name(unsigned encoder)
{
	return encoders[encoder].name;
}

/* Copied, as a consumer would: a sink that only counts would be too cheap. */
static int copy_piece(void *context, const void *bytes, size_t count)
{
	static char piece[PIECE];
	struct bench_output *output = context;

	for (size_t at = 0; at < count; at += PIECE)
		memcpy(piece, (const char *)bytes + at, count - at < PIECE ? count - at : PIECE);
	output->bytes += count;
	return 0;
}

static void encode_into(unsigned encoder, const struct astshm_snapshot *snapshot,
			const struct astshm_sink *sink)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	int result = encoders[encoder].encode(snapshot, sink, &options);

	if (result != 0)
		bench_fail("%s: %s", encoders[encoder].name, strerror(-result));
}

void bench_encode(unsigned encoder, const struct astshm_snapshot *snapshot,
		  struct bench_output *output)
{
	struct astshm_sink sink = { copy_piece, output };

	encode_into(encoder, snapshot, &sink);
}

static int write_stream(void *context, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, context) == count ? 0 : -1;
}

static size_t count_numbers(const json_t *value)
{
	size_t count = 0, i;
	const char *key;
	json_t *part;

	if (json_is_array(value)) {
		json_array_foreach(value, i, part)
			count += count_numbers(part);
	} else if (json_is_object(value)) {
		json_object_foreach((json_t *)(uintptr_t)value, key, part)
			count += count_numbers(part);
	} else {
		count = json_is_number(value);
	}
	return count;
}

size_t bench_count_numbers(unsigned encoder, const struct astshm_snapshot *snapshot)
{
	char *text = NULL;
	size_t size = 0, count;
	json_error_t error;

	if (encoders[encoder].encode != astshm_encode_json)
		return 0;
	FILE *stream = open_memstream(&text, &size);
	if (!stream)
		bench_fail("open_memstream");
	encode_into(encoder, snapshot, &(struct astshm_sink){ write_stream, stream });
	fclose(stream);
	json_t *document = json_loadb(text, size, 0, &error);
	if (!document)
		bench_fail("the JSON is none: %s", error.text);
	count = count_numbers(document);
	json_decref(document);
	free(text);
	return count;
}
