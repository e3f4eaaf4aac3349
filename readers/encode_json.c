/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>

#include "document.h"
#include "text.h"

static struct json_document *json_of(struct document *document)
{
	return (struct json_document *)document; /* base is its first member */
}

static void put_line(struct json_document *json)
{
	if (!json->pretty)
		return;
	sink_put_char(&json->base.sink, '\n');
	sink_fill(&json->base.sink, ' ', 2 * json->depth);
}

/* What stands before a value: elements of an array are separated here. */
static struct sink *before_value(struct document *document)
{
	struct json_document *json = json_of(document);
	if (json->arrays >> json->depth & 1 && !json->fresh)
		sink_put(&document->sink, ", ", json->pretty ? 2 : 1);
	json->fresh = false;
	return &document->sink;
}

/* Deeper than any document of ours; `arrays` has one bit a level. */
#define DEPTH_MAX 60

static void open_container(struct document *document, char bracket, bool array)
{
	struct json_document *json = json_of(document);
	sink_put_char(before_value(document), bracket);
	if (json->depth < DEPTH_MAX)
		json->depth++;
	json->arrays &= ~(1ull << json->depth);
	json->arrays |= (uint64_t)array << json->depth;
	json->fresh = true;
}

static void open_map(struct document *document, uint32_t count)
{
	(void)count;
	open_container(document, '{', false);
}

static void open_array(struct document *document, uint32_t count)
{
	(void)count;
	open_container(document, '[', true);
}

static void close_map(struct document *document)
{
	struct json_document *json = json_of(document);
	json->depth--;
	if (!json->fresh)
		put_line(json);
	json->fresh = false;
	sink_put_char(&document->sink, '}');
}

static void close_array(struct document *document)
{
	struct json_document *json = json_of(document);
	json->depth--;
	json->fresh = false;
	sink_put_char(&document->sink, ']');
}

static void put_key(struct document *document, const char *text, size_t length)
{
	struct json_document *json = json_of(document);
	if (!json->fresh)
		sink_put_char(&document->sink, ',');
	put_line(json);
	text_put_json(&document->sink, text, length);
	sink_put(&document->sink, ": ", json->pretty ? 2 : 1);
	json->fresh = false;
}

static void put_text(struct document *document, const char *text, size_t length)
{
	text_put_json(before_value(document), text, length);
}

static void put_nil(struct document *document)
{
	sink_put(before_value(document), "null", 4);
}

static void put_boolean(struct document *document, bool value)
{
	sink_put_text(before_value(document), value ? "true" : "false");
}

static void put_unsigned(struct document *document, uint64_t value)
{
	struct sink *sink = before_value(document);
	sink_end(sink, number_put_u64(sink_room(sink, NUMBER_BYTES), value));
}

static void put_counts(struct document *document, const uint64_t *counts, uint32_t count)
{
	struct sink *sink = before_value(document);
	sink_put_char(sink, '[');
	for (uint32_t i = 0; i < count; i++) {
		char *p = sink_room(sink, NUMBER_BYTES);
		if (i > 0)
			*p++ = ',';
		sink_end(sink, number_put_u64(p, counts[i]));
	}
	sink_put_char(sink, ']');
}

static void put_integer(struct document *document, int64_t value)
{
	struct sink *sink = before_value(document);
	sink_end(sink, number_put_i64(sink_room(sink, NUMBER_BYTES), value));
}

static void put_wide_integer(struct document *document, number_u128 value)
{
	char text[NUMBER_BYTES];
	char *end = number_put_u128(text, value);
	if (value > INT64_MAX)
		put_text(document, text, (size_t)(end - text));
	else
		sink_put(before_value(document), text, (size_t)(end - text));
}

static void put_real(struct document *document, double value)
{
	if (!isfinite(value)) {
		put_nil(document);
		return;
	}
	struct sink *sink = before_value(document);
	sink_end(sink, number_put_double(sink_room(sink, NUMBER_BYTES), value));
}

static void put_decimal(struct document *document, number_u128 value, unsigned decimals)
{
	struct sink *sink = before_value(document);
	sink_end(sink, number_put_fixed(sink_room(sink, NUMBER_BYTES), value, decimals));
	if (decimals == 0 && value > INT64_MAX)
		sink_put(sink, ".0", 2);
}

static void put_negative_decimal(struct document *document, number_u128 value, unsigned decimals)
{
	struct sink *sink = before_value(document);
	char *p = sink_room(sink, NUMBER_BYTES);
	*p++ = '-';
	sink_end(sink, number_put_fixed(p, value, decimals));
}

static const struct document_operations operations = {
	.map = open_map,
	.end_map = close_map,
	.array = open_array,
	.end_array = close_array,
	.key = put_key,
	.text = put_text,
	.nil = put_nil,
	.boolean = put_boolean,
	.unsigned_integer = put_unsigned,
	.integer = put_integer,
	.counts = put_counts,
	.wide_integer = put_wide_integer,
	.real = put_real,
	.decimal = put_decimal,
	.negative_decimal = put_negative_decimal,
};

void json_document_init(struct json_document *json, const struct astshm_sink *sink,
			const struct astshm_encode_options *options)
{
	unsigned flags = options ? options->flags : 0;
	sink_init(&json->base.sink, sink);
	json->base.operations = &operations;
	json->base.buckets = flags & ASTSHM_ENCODE_BUCKETS;
	json->pretty = flags & ASTSHM_ENCODE_PRETTY;
	json->fresh = true;
	json->depth = 0;
	json->arrays = 0;
}

int astshm_encode_json(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
		       const struct astshm_encode_options *options)
{
	struct json_document json;
	json_document_init(&json, sink, options);
	document_put_snapshot(&json.base, snapshot);
	return sink_finish(&json.base.sink);
}

int astshm_encode_window(const struct astshm_snapshot *interval, const struct astshm_sink *sink,
			 const struct astshm_encode_options *options)
{
	struct json_document json;
	if (interval->interval_ns == 0)
		return -EINVAL;
	json_document_init(&json, sink, options);
	document_put_window(&json.base, interval);
	return sink_finish(&json.base.sink);
}
