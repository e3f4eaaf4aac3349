/* SPDX-License-Identifier: MIT */
/*
 * What is said to a request, apart from how it got here and how it gets back.
 */
#ifndef EXPORT_ANSWER_H
#define EXPORT_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "feeds.h"
#include "metrics.h"
#include "negotiate.h"
#include "page.h"
#include "protobuf.h"
#include "segments.h"

enum document {
	DOCUMENT_NONE,
	DOCUMENT_PAGE,
	DOCUMENT_SEGMENTS,
	DOCUMENT_METRICS,
	DOCUMENT_JSON,
	DOCUMENT_MSGPACK,
	DOCUMENT_SUMMARY,
	DOCUMENT_HISTORY,
	DOCUMENT_HEALTH,
};

struct request {
	enum document document;
	const char *segment; /* of /segments/NAME/, not NUL-terminated; or NULL */
	size_t segment_length;
	int64_t window_ns;   /* ?window=; 0: none */
	bool buckets;        /* ?buckets=1: in JSON */
	bool last;           /* ?last=1: what there is: an ended writer's, beside the status 503;
	                      * without a window or history where none is kept */
	struct metric_choice metrics;
	const struct page_file *file; /* of DOCUMENT_PAGE */
	enum exposition exposition;
	const struct protobuf_style *style;
	const struct feeds *feeds; /* NULL: there are none */
};

struct answer {
	unsigned status;  /* of HTTP */
	const char *type; /* Content-Type */
	struct buffer body;
	const struct page_file *file; /* that the body is; NULL: it is none */
};

/* Fills request->document and ->segment; DOCUMENT_NONE: there is no such path. */
void answer_route(struct request *request, const char *path);

/* Makes the answer; its body is to be freed by the caller. */
void answer_make(struct segments *segments, const struct request *request,
		 struct answer *answer);

/* One line of text instead of a document. */
void answer_refuse(struct answer *answer, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
