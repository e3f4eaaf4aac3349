/* SPDX-License-Identifier: MIT */
#ifndef EXPORT_PAST_H
#define EXPORT_PAST_H

#include <astshm/reader.h>

#include "metrics.h"

struct past_style {
	int64_t last_ns; /* the intervals of this last while alone; 0: all */
	unsigned flags;  /* of enum astshm_encode_flags */
	const struct metric_choice *metrics;
};

/*
 * 1, or 0 if no interval has any series, which is a document too.
 * Writes the document "astshm.history/1" (doc/export.md): one object as under
 * "window" for each interval of the history (NULL: none is kept), the oldest first.
 * Errors as astshm_history_interval and those of the sink.
 */
int past_encode(const struct astshm_history *history, const char *name,
		const struct past_style *style, const struct astshm_sink *sink,
		struct astshm_error *error);

#endif
