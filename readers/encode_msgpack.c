/* SPDX-License-Identifier: MIT */
#include <math.h>

#include <msgpack.h>

#include "document.h"
#include "pack.h"
#include "text.h"

#define SHORT_TEXT 1024u
#define COUNTS_AT_ONCE 1024u
_Static_assert(COUNTS_AT_ONCE * PACK_BYTES <= SINK_BUFFER_BYTES, "counts fit the buffer");

struct msgpack_document {
	struct document base;
	msgpack_packer packer;
};

static msgpack_packer *packer_of(struct document *document)
{
	/* base is the first member */
	return &((struct msgpack_document *)document)->packer;
}

/* The packer's results are always 0: the sink keeps the error. */
static int write_packed(void *data, const char *bytes, size_t count)
{
	sink_put(data, bytes, count);
	return 0;
}

static void open_map(struct document *document, uint32_t count)
{
	msgpack_pack_map(packer_of(document), count);
}

static void open_array(struct document *document, uint32_t count)
{
	msgpack_pack_array(packer_of(document), count);
}

static void close_nothing(struct document *document)
{
	(void)document; /* containers of msgpack begin with their count */
}

/* Not ASCII, or too long for the sink's buffer: what is no UTF-8 is replaced. */
static void put_any_text(struct document *document, const char *text, size_t length)
{
	char *p = sink_room(&document->sink, PACK_BYTES);
	sink_end(&document->sink, pack_text_head(p, (uint32_t)text_clean_length(text, length)));
	text_put_clean(&document->sink, text, length);
}

static void put_text(struct document *document, const char *text, size_t length)
{
	if (length > SHORT_TEXT || !text_is_ascii(text, length)) {
		put_any_text(document, text, length);
		return;
	}
	char *p = pack_text_head(sink_room(&document->sink, PACK_BYTES + SHORT_TEXT),
				 (uint32_t)length);
	memcpy(p, text, length);
	sink_end(&document->sink, p + length);
}

static void put_nil(struct document *document)
{
	msgpack_pack_nil(packer_of(document));
}

static void put_boolean(struct document *document, bool value)
{
	if (value)
		msgpack_pack_true(packer_of(document));
	else
		msgpack_pack_false(packer_of(document));
}

static void put_unsigned(struct document *document, uint64_t value)
{
	sink_end(&document->sink, pack_unsigned(sink_room(&document->sink, PACK_BYTES), value));
}

/* Eight counts that are their own encoding each (positive fixint), or none. */
static bool pack_eight_small(char *p, const uint64_t *counts)
{
	uint64_t all = 0;
	for (unsigned i = 0; i < 8; i++)
		all |= counts[i];
	for (unsigned i = 0; i < 8; i++)
		p[i] = (char)counts[i];
	return all < 128;
}

static char *pack_counts(char *p, const uint64_t *counts, uint32_t count)
{
	while (count >= 8) {
		if (pack_eight_small(p, counts)) {
			p += 8;
		} else {
			for (unsigned i = 0; i < 8; i++)
				p = pack_unsigned(p, counts[i]);
		}
		counts += 8;
		count -= 8;
	}
	for (uint32_t i = 0; i < count; i++)
		p = pack_unsigned(p, counts[i]);
	return p;
}

static void put_counts(struct document *document, const uint64_t *counts, uint32_t count)
{
	msgpack_pack_array(packer_of(document), count);
	while (count > 0) {
		uint32_t some = count < COUNTS_AT_ONCE ? count : COUNTS_AT_ONCE;
		char *p = sink_room(&document->sink, (size_t)COUNTS_AT_ONCE * PACK_BYTES);
		sink_end(&document->sink, pack_counts(p, counts, some));
		counts += some;
		count -= some;
	}
}

static void put_integer(struct document *document, int64_t value)
{
	if (value >= 0)
		put_unsigned(document, (uint64_t)value);
	else
		msgpack_pack_int64(packer_of(document), value);
}

static void put_wide_integer(struct document *document, number_u128 value)
{
	char text[NUMBER_BYTES];
	if (value <= INT64_MAX) {
		put_unsigned(document, (uint64_t)value);
		return;
	}
	put_text(document, text, (size_t)(number_put_u128(text, value) - text));
}

static void put_real(struct document *document, double value)
{
	if (isfinite(value))
		msgpack_pack_double(packer_of(document), value);
	else
		put_nil(document);
}

static void put_decimal(struct document *document, number_u128 value, unsigned decimals)
{
	if (decimals == 0 && value <= INT64_MAX)
		put_unsigned(document, (uint64_t)value);
	else
		msgpack_pack_double(packer_of(document), number_scale(value, decimals));
}

static void put_negative_decimal(struct document *document, number_u128 value, unsigned decimals)
{
	msgpack_pack_double(packer_of(document), -number_scale(value, decimals));
}

static const struct document_operations operations = {
	.map = open_map,
	.end_map = close_nothing,
	.array = open_array,
	.end_array = close_nothing,
	.key = put_text,
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

int astshm_encode_msgpack(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
			  const struct astshm_encode_options *options)
{
	struct msgpack_document msgpack;
	(void)options;
	sink_init(&msgpack.base.sink, sink);
	msgpack.base.operations = &operations;
	msgpack.base.buckets = true;
	msgpack_packer_init(&msgpack.packer, &msgpack.base.sink, write_packed);
	document_put_snapshot(&msgpack.base, snapshot);
	return sink_finish(&msgpack.base.sink);
}
