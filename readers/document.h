/* SPDX-License-Identifier: MIT */
/*
 * The documents of doc/snapshot.md, walked once for both JSON and msgpack: the
 * walk calls the operations below, so that shape, keys and order are the same.
 */
#ifndef READERS_DOCUMENT_H
#define READERS_DOCUMENT_H

#include "number.h"
#include "sink.h"
#include "snapshot.h"

#define DOCUMENT_SCHEMA "astshm.snapshot/1"

struct document;

struct document_operations {
	/* `count` is the number of pairs or elements that follow. */
	void (*map)(struct document *document, uint32_t count);
	void (*end_map)(struct document *document);
	void (*array)(struct document *document, uint32_t count);
	void (*end_array)(struct document *document);
	void (*key)(struct document *document, const char *text, size_t length);
	void (*text)(struct document *document, const char *text, size_t length);
	void (*nil)(struct document *document);
	void (*boolean)(struct document *document, bool value);
	void (*unsigned_integer)(struct document *document, uint64_t value);
	void (*integer)(struct document *document, int64_t value);
	/* An array of counts, whole: documents with buckets are mostly these. */
	void (*counts)(struct document *document, const uint64_t *counts, uint32_t count);
	/* Past int64 a string of digits: exact, and no parser refuses it. */
	void (*wide_integer)(struct document *document, number_u128 value);
	/* Not finite: null. */
	void (*real)(struct document *document, double value);
	/* value / 10^decimals. JSON: exact; msgpack: the nearest double. An
	 * integer with 0 decimals, but past int64 a real. */
	void (*decimal)(struct document *document, number_u128 value, unsigned decimals);
	void (*negative_decimal)(struct document *document, number_u128 value,
				 unsigned decimals);
};

struct document {
	const struct document_operations *operations;
	struct sink sink;
	bool buckets; /* histograms with their buckets */
};

/* Short forms for the walks. Keys are NUL-terminated constants. */
static inline void document_key(struct document *document, const char *key)
{
	document->operations->key(document, key, strlen(key));
}

static inline void document_text(struct document *document, const char *key, const char *text,
				 size_t length)
{
	document_key(document, key);
	document->operations->text(document, text, length);
}

static inline void document_unsigned(struct document *document, const char *key, uint64_t value)
{
	document_key(document, key);
	document->operations->unsigned_integer(document, value);
}

static inline void document_nil(struct document *document, const char *key)
{
	document_key(document, key);
	document->operations->nil(document);
}

static inline void document_decimal(struct document *document, const char *key, number_u128 value,
				    unsigned decimals)
{
	document_key(document, key);
	document->operations->decimal(document, value, decimals);
}

/* The document "astshm.snapshot/1"; the caller finishes the sink. */
void document_put_snapshot(struct document *document, const struct astshm_snapshot *snapshot);

/* The object that stands under "window": an interval, in short. */
void document_put_window(struct document *document, const struct astshm_snapshot *window);

/* "timestamp" and "uptime_seconds". */
void document_put_timestamp(struct document *document, const struct astshm_snapshot *snapshot);
void document_put_uptime(struct document *document, const struct astshm_snapshot *snapshot);

/* One series' object: statistics, buckets, threads, name and tags. */
void document_put_series(struct document *document, const struct astshm_series *series,
			 bool interval);

/* The same in a window of so many seconds: what of it is looked at. */
void document_put_window_series(struct document *document, const struct astshm_series *series,
				double seconds);

/* JSON into document->sink; made by json_document_init(). */
struct json_document {
	struct document base;
	bool pretty;
	bool fresh;      /* nothing was written yet at this depth */
	unsigned depth;
	uint64_t arrays; /* bit d: depth d is an array */
};

void json_document_init(struct json_document *json, const struct astshm_sink *sink,
			const struct astshm_encode_options *options);

#endif
