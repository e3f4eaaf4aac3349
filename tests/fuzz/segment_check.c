/* SPDX-License-Identifier: MIT */
#include "segment_check.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#ifdef FUZZ_JANSSON
#include <jansson.h>
#endif

#include "heap.h"
#include "segment.h"
#include "target.h"

/* A decoded document takes no more than so many times its size. */
#define DECODED_FACTOR 100u
#define DECODED_LEAST ((size_t)1 << 20)

unsigned long long check_documents;

/* --- series ----------------------------------------------------------------- */

static void check_histogram(const struct astshm_histogram *histogram, enum astshm_kind kind)
{
	static const double q[] = { 0.0, 0.5, 0.99, 1.0 };
	uint64_t total = histogram->zero_count + histogram->overflow_count;
	double values[4];

	fuzz_expect(histogram->slot_count == 0 ||
			    (histogram->first_slot >= ASTSHM_HISTOGRAM_FIRST &&
			     histogram->first_slot + histogram->slot_count - 1 <=
				     ASTSHM_HISTOGRAM_LAST),
		    "slots are those of a histogram");
	for (uint32_t i = 0; i < histogram->slot_count; i++)
		total += histogram->slots[i];
	fuzz_expect(!histogram->has_buckets || total == histogram->count,
		    "the count is the sum of the slots");
	astshm_histogram_quantiles(histogram, kind, q, values, 4);
	for (size_t i = 0; histogram->has_extremes && histogram->count > 0 && i < 4; i++)
		fuzz_expect(values[i] >= (double)histogram->min &&
				    values[i] <= (double)histogram->max,
			    "a quantile lies between the extremes");
}

static void check_text(const char *text, size_t length, size_t most)
{
	fuzz_expect(length <= most && strlen(text) == length, "a text has its length");
	fuzz_expect(shm_utf8_valid(text, length), "a text is UTF-8");
}

static void check_threads(const struct astshm_series *series)
{
	for (uint32_t i = 0; i < series->thread_count; i++) {
		const struct astshm_thread_value *thread = &series->threads[i];

		fuzz_expect(shm_utf8_valid(thread->name, strlen(thread->name)),
			    "a thread's name is UTF-8");
		fuzz_expect(i == 0 || series->threads[i - 1].slot <= thread->slot,
			    "threads are in order");
		if (series->kind >= ASTSHM_KIND_TIMING)
			check_histogram(&thread->histogram, series->kind);
	}
}

static void check_series(const struct astshm_snapshot *snapshot,
			 const struct astshm_series *series)
{
	const struct astshm_family *family = series->family;

	fuzz_expect(family && family->kind == series->kind, "a series is of its family's kind");
	check_text(series->key, series->key_len, 65536);
	check_text(family->name, family->name_len, ASTSHM_NAME_MAX);
	check_text(family->unit, family->unit_len, ASTSHM_UNIT_MAX);
	check_text(family->help, family->help_len, ASTSHM_HELP_MAX);
	fuzz_expect(series->tag_count <= ASTSHM_TAGS_MAX, "as many tags as there may be");
	for (uint32_t i = 0; i < series->tag_count; i++) {
		check_text(series->tags[i].key, series->tags[i].key_len, ASTSHM_TAG_KEY_MAX);
		check_text(series->tags[i].value, series->tags[i].value_len, ASTSHM_TAG_VALUE_MAX);
	}
	if (series->kind >= ASTSHM_KIND_TIMING)
		check_histogram(&series->histogram, series->kind);
	check_threads(series);
	fuzz_expect(astshm_snapshot_find(snapshot, series->kind, series->key) == series,
		    "a series is found by its key");
}

/* --- documents ------------------------------------------------------------------ */

struct document {
	char *bytes;
	size_t size;
	size_t room;
};

/* One for each that is alive at a time, used again and again. */
static struct document documents[2];

static int append(void *context, const void *bytes, size_t count)
{
	struct document *document = context;

	if (document->room - document->size < count) {
		document->room = 2 * (document->size + count);
		document->bytes = realloc(document->bytes, document->room);
		fuzz_expect(document->bytes, "memory for a document");
	}
	memcpy(document->bytes + document->size, bytes, count);
	document->size += count;
	return 0;
}

typedef int (*encode_function)(const struct astshm_snapshot *snapshot,
			       const struct astshm_sink *sink,
			       const struct astshm_encode_options *options);

static const struct document *encode(struct document *document, encode_function encoder,
				     const struct astshm_snapshot *snapshot, unsigned flags,
				     unsigned width)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	struct astshm_sink sink = { append, document };

	document->size = 0;
	options.flags = flags;
	options.width = width;
	fuzz_expect(encoder(snapshot, &sink, &options) == 0, "a snapshot can be encoded");
	check_documents++;
	return document;
}

static void check_json(const struct document *document)
{
#ifdef FUZZ_JANSSON
	json_error_t error;
	/* Words of 64 bits are more than its integers hold. */
	json_t *value = json_loadb(document->bytes, document->size,
				   JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);

	if (!value)
		fprintf(stderr, "%s\n", error.text);
	fuzz_expect(value, "JSON is JSON, and no key occurs twice");
	json_decref(value);
#endif
	fuzz_expect(document->size > 2 && document->bytes[document->size - 1] == '}',
		    "JSON ends with its last brace");
}

/* Text for people and scrapers: UTF-8, and nothing that moves a terminal. */
static void check_lines(const struct document *document, bool color)
{
	fuzz_expect(document->size > 0 && document->bytes[document->size - 1] == '\n',
		    "text ends with a line");
	fuzz_expect(shm_utf8_valid(document->bytes, document->size), "text is UTF-8");
	for (size_t i = 0; i < document->size; i++) {
		uint8_t byte = (uint8_t)document->bytes[i];
		bool attribute = color && byte == 0x1b && i + 1 < document->size &&
				 document->bytes[i + 1] == '[';

		fuzz_expect(byte == '\n' || attribute || (byte >= 0x20 && byte != 0x7f),
			    "text has no control characters");
	}
}

/* A comment, or a metric's name and a value. */
static bool is_exposition(const char *line, size_t length)
{
	bool letter = length > 0 && (line[0] | 32) >= 'a' && (line[0] | 32) <= 'z';
	bool comment = length > 2 && memcmp(line, "# ", 2) == 0;

	return (letter || comment || (length > 0 && (line[0] == '_' || line[0] == ':'))) &&
	       memchr(line, ' ', length);
}

static void check_exposition(const struct document *document)
{
	const char *at = document->bytes, *end = at + document->size;

	fuzz_expect(shm_utf8_valid(document->bytes, document->size), "exposition is UTF-8");
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		fuzz_expect(stop, "every line of exposition ends");
		if (!is_exposition(at, (size_t)(stop - at)))
			fprintf(stderr, "%.*s\n", (int)(stop - at), at);
		fuzz_expect(is_exposition(at, (size_t)(stop - at)),
			    "a line of exposition is one of its sorts");
		at = stop + 1;
	}
}

/* --- msgpack, and back ------------------------------------------------------------ */

static int decode(const struct document *document, struct astshm_snapshot **decoded,
		  struct astshm_error *error)
{
	size_t used = 0;

	*decoded = NULL;
	*error = (struct astshm_error){ .text = "" };
	heap_limit(DECODED_LEAST + DECODED_FACTOR * document->size);
	int code = astshm_decode_msgpack(document->bytes, document->size, &used, decoded, error);
	heap_limit(SIZE_MAX);
	fuzz_expect(code == 0 || error->text[0], "an error has a text");
	fuzz_expect(code != 0 || used <= document->size, "no more is used than there is");
	return code;
}

/* Where they part, in words. */
static bool same_text(const struct document *one, const struct document *other)
{
	size_t at = 0, least = one->size < other->size ? one->size : other->size;

	while (at < least && one->bytes[at] == other->bytes[at])
		at++;
	if (at == one->size && at == other->size)
		return true;
	size_t from = at < 60 ? 0 : at - 60;
	fprintf(stderr, "%.*s\n%.*s\n", (int)(one->size - from < 120 ? one->size - from : 120),
		one->bytes + from, (int)(other->size - from < 120 ? other->size - from : 120),
		other->bytes + from);
	return false;
}

static void check_decoded(const struct document *packed)
{
	struct astshm_snapshot *decoded;
	struct astshm_error error;

	if (decode(packed, &decoded, &error) != 0)
		fprintf(stderr, "%s at byte %llu of %zu\n", error.text,
			(unsigned long long)error.position, packed->size);
	fuzz_expect(decoded, "what was encoded can be decoded");
	/* Not JSON: times of more than 2^53 ns have more digits there. */
	encode(&documents[1], astshm_encode_msgpack, decoded, 0, 0);
	fuzz_expect(same_text(packed, &documents[1]), "a decoded document says what it said");
	astshm_snapshot_free(&decoded);
}

/* One byte of it, which one being the content's choice. */
static void check_damaged(struct document *packed)
{
	size_t at = (packed->size * 2654435761u) % packed->size;
	struct astshm_snapshot *decoded;
	struct astshm_error error;

	packed->bytes[at] ^= (char)(1 << (packed->size % 8));
	int code = decode(packed, &decoded, &error);
	fuzz_expect(code == 0 || code == -EBADMSG || code == -EPROTONOSUPPORT || code == -ENODATA,
		    "a damaged document is a documented error");
	astshm_snapshot_free(&decoded);
}

/* Decoded, series are in the order of their keys, whatever it was before. */
static void check_msgpack(const struct astshm_snapshot *snapshot, bool by_key)
{
	encode(&documents[0], astshm_encode_msgpack, snapshot, 0, 0);
	if (by_key)
		check_decoded(&documents[0]);
	check_damaged(&documents[0]);
}

/* --- all of it ------------------------------------------------------------------------ */

static void check_all_series(const struct astshm_snapshot *snapshot)
{
	for (size_t i = 0; i < astshm_snapshot_count(snapshot); i++)
		check_series(snapshot, astshm_snapshot_at(snapshot, i));
}

static void check_document(const struct astshm_snapshot *snapshot, size_t which, bool by_key)
{
	struct document *document = &documents[0];

	if (which == 0)
		check_json(encode(document, astshm_encode_json, snapshot, 0, 0));
	else if (which == 1)
		check_json(encode(document, astshm_encode_json, snapshot,
				  ASTSHM_ENCODE_BUCKETS | ASTSHM_ENCODE_PRETTY, 0));
	else if (which == 2)
		check_json(encode(document, astshm_encode_summary, snapshot, 0, 0));
	else if (which == 3)
		check_exposition(encode(document, astshm_encode_prometheus, snapshot, 0, 0));
	else if (which == 4)
		check_lines(encode(document, astshm_encode_table, snapshot, 0, 0), false);
	else if (which == 5)
		check_lines(encode(document, astshm_encode_table, snapshot, ASTSHM_ENCODE_COLOR,
				   79), true);
	else
		check_msgpack(snapshot, by_key);
}

#define DOCUMENTS 7u

void check_snapshot(const struct astshm_snapshot *snapshot)
{
	check_all_series(snapshot);
	for (size_t i = 0; i < DOCUMENTS; i++)
		check_document(snapshot, i, true);
}

/* There are many of them: one document of each, which the content chooses. */
static void check_some(const struct astshm_snapshot *snapshot, size_t which, bool by_key)
{
	check_all_series(snapshot);
	check_document(snapshot, (which + astshm_snapshot_count(snapshot)) % DOCUMENTS, by_key);
}

static bool same_histogram(const struct astshm_histogram *one,
			   const struct astshm_histogram *other)
{
	return one->count == other->count && one->sum == other->sum &&
	       one->sum_hi == other->sum_hi && one->first_slot == other->first_slot &&
	       one->slot_count == other->slot_count &&
	       memcmp(one->slots, other->slots, one->slot_count * sizeof *one->slots) == 0;
}

static bool same_double(double one, double other)
{
	return one == other || (isnan(one) && isnan(other));
}

static bool same_value(const struct astshm_series *one, const struct astshm_series *other)
{
	switch (one->kind) {
	case ASTSHM_KIND_COUNTER:
		return one->counter.value == other->counter.value;
	case ASTSHM_KIND_GAUGE:
		return same_double(one->gauge.current, other->gauge.current) &&
		       one->gauge.count == other->gauge.count;
	case ASTSHM_KIND_TIMING:
	case ASTSHM_KIND_DISTRIBUTION:
		break;
	}
	return same_histogram(&one->histogram, &other->histogram);
}

void check_same(const struct astshm_snapshot *one, const struct astshm_snapshot *other)
{
	size_t count = astshm_snapshot_count(one);

	if (count != astshm_snapshot_count(other))
		fprintf(stderr, "%zu, %zu\n", count, astshm_snapshot_count(other));
	fuzz_expect(count == astshm_snapshot_count(other), "the same bytes, the same series");
	for (size_t i = 0; i < count; i++) {
		const struct astshm_series *a = astshm_snapshot_at(one, i);
		const struct astshm_series *b = astshm_snapshot_at(other, i);

		fuzz_expect(a->kind == b->kind && strcmp(a->key, b->key) == 0,
			    "the same bytes, the same keys");
		fuzz_expect(same_value(a, b), "the same bytes, the same values");
	}
}

/* --- what is made of snapshots ---------------------------------------------------------- */

static int64_t value_in(const struct astshm_snapshot *snapshot, const struct astshm_series *series)
{
	const struct astshm_series *found =
		astshm_snapshot_find(snapshot, series->kind, series->key);

	return found ? found->counter.value : 0;
}

/* A value beyond 2^63, as only damage makes it, wraps. */
static void check_interval(const struct astshm_snapshot *interval,
			   const struct astshm_snapshot *older)
{
	for (size_t i = 0; i < astshm_snapshot_count(interval); i++) {
		const struct astshm_series *series = astshm_snapshot_at(interval, i);

		if (series->kind == ASTSHM_KIND_COUNTER && series->monotonic &&
		    series->counter.value >= 0 && value_in(older, series) >= 0)
			fuzz_expect(series->counter.increase >= 0,
				    "what may only grow has not fallen in an interval");
	}
}

static int by_count(const struct astshm_series *a, const struct astshm_series *b, void *context)
{
	(void)context;
	return (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static bool keep_some(const struct astshm_series *series, void *context)
{
	(void)context;
	return series->key_len % 2 == 0;
}

/* The snapshot that a function made, if it made one. */
static void check_made(struct astshm_snapshot *made, int code, size_t which)
{
	fuzz_expect(code == 0 || code == -ENODATA || code == -EINVAL || code == -EOVERFLOW,
		    "a documented error of what is made of snapshots");
	if (made)
		check_some(made, which, true);
	astshm_snapshot_free(&made);
}

static void check_sorted(const struct astshm_snapshot *snapshot)
{
	struct astshm_snapshot *made = NULL;

	fuzz_expect(astshm_snapshot_sort(snapshot, by_count, NULL, &made, NULL) == 0, "an order");
	fuzz_expect(astshm_snapshot_count(made) == astshm_snapshot_count(snapshot),
		    "another order has as many series");
	check_some(made, 0, false);
	astshm_snapshot_free(&made);
	int code = astshm_snapshot_filter(snapshot, keep_some, NULL, &made, NULL);
	check_made(made, code, 1);
}

void check_derived(const struct astshm_snapshot *newer, const struct astshm_snapshot *older)
{
	const struct astshm_snapshot *parts[] = { newer, older, newer };
	static const char *const keys[] = { "type" };
	struct astshm_snapshot *made = NULL;
	int code = astshm_snapshot_subtract(newer, older, &made, NULL);

	if (code == 0)
		check_interval(made, older);
	check_made(made, code, 2);
	made = NULL;
	code = astshm_snapshot_merge(parts, 3, &made, NULL);
	check_made(made, code, 3);
	made = NULL;
	code = astshm_snapshot_group(newer, keys, 1, &made, NULL);
	check_made(made, code, 4);
	check_sorted(newer);
}
