/* SPDX-License-Identifier: MIT */
#ifndef EXPORT_PAST_H
#define EXPORT_PAST_H

#include <astshm/reader.h>

/*
 * Writes the document "astshm.history/1" (doc/export.md): one object as under
 * "window" for each interval of the history, the oldest first; those of the last
 * `last_ns` alone if that is not 0. Errors as astshm_history_interval and those of
 * the sink.
 */
int past_encode(const struct astshm_history *history, const char *name, int64_t last_ns,
		const struct astshm_sink *sink, struct astshm_error *error);

#endif
