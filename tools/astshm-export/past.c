/* SPDX-License-Identifier: MIT */
#include "past.h"

#include <errno.h>
#include <string.h>

#include "number.h"
#include "sink.h"
#include "text.h"

static void put_seconds(struct sink *sink, const char *key, uint64_t ns)
{
	sink_put_text(sink, key);
	sink_end(sink, number_put_fixed(sink_room(sink, NUMBER_BYTES), ns, 9));
}

static void put_head(struct sink *sink, const struct astshm_history *history, const char *name)
{
	static const struct astshm_history_info none;
	const struct astshm_history_info *info = history ? astshm_history_info(history) : &none;

	sink_put_text(sink, "{\"schema\":\"astshm.history/1\",\"segment\":");
	text_put_json(sink, name, strlen(name));
	put_seconds(sink, ",\"period_seconds\":", info->period_ns);
	put_seconds(sink, ",\"coarse_period_seconds\":", info->coarse_period_ns);
	sink_put_text(sink, ",\"intervals\":[");
}

/* When the last entry was made; 0: there is none. */
static int find_end(const struct astshm_history *history, uint64_t *end_ns,
		    struct astshm_error *error)
{
	struct astshm_snapshot *last = NULL;
	size_t count = astshm_history_count(history);
	int result = count > 0 ? astshm_history_snapshot(history, count - 1, &last, error) : 0;

	*end_ns = last ? astshm_snapshot_timestamp_ns(last) : 0;
	astshm_snapshot_free(&last);
	return result;
}

/* From the newest back, so that what is too old need not be made. */
static int find_first(const struct astshm_history *history, int64_t last_ns, size_t *first,
		      struct astshm_error *error)
{
	uint64_t end_ns;
	size_t i = astshm_history_count(history);
	int result = find_end(history, &end_ns, error);

	*first = 1;
	if (result < 0 || last_ns == 0)
		return result;
	while (i > 1) {
		struct astshm_snapshot *entry = NULL;

		result = astshm_history_snapshot(history, i - 1, &entry, error);
		if (result < 0)
			return result;
		uint64_t age_ns = end_ns - astshm_snapshot_timestamp_ns(entry);
		astshm_snapshot_free(&entry);
		if (age_ns >= (uint64_t)last_ns)
			break;
		i--;
	}
	*first = i;
	return 0;
}

/* As past_encode. */
static int put_interval(struct sink *sink, struct astshm_snapshot **interval,
			const struct past_style *style)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	int result = metrics_choose(style->metrics, interval);

	options.flags = style->flags;
	sink_flush(sink);
	if (result == 0)
		result = sink->error ? sink->error
				     : astshm_encode_window(*interval, sink->out, &options);
	return result < 0 ? result : astshm_snapshot_count(*interval) > 0;
}

static int put_intervals(struct sink *sink, const struct astshm_history *history, size_t first,
			 const struct past_style *style, struct astshm_error *error)
{
	bool any = false;
	int has_series = 0;

	for (size_t i = first; i < astshm_history_count(history); i++) {
		struct astshm_snapshot *interval = NULL;
		int result = astshm_history_interval(history, i, &interval, error);

		if (result == -EINVAL)
			continue; /* no time between the two */
		if (result < 0)
			return result;
		if (any)
			sink_put_char(sink, ',');
		any = true;
		result = put_interval(sink, &interval, style);
		astshm_snapshot_free(&interval);
		if (result < 0)
			return result;
		has_series |= result;
	}
	return has_series;
}

static int put_end(struct sink *sink, int has_series)
{
	int result;

	sink_put_text(sink, "]}");
	result = sink_finish(sink);
	return result < 0 ? result : has_series;
}

int past_encode(const struct astshm_history *history, const char *name,
		const struct past_style *style, const struct astshm_sink *to,
		struct astshm_error *error)
{
	struct sink sink;
	size_t first = 0;
	int result = history ? find_first(history, style->last_ns, &first, error) : 0;

	if (result < 0)
		return result;
	sink_init(&sink, to);
	put_head(&sink, history, name);
	if (history)
		result = put_intervals(&sink, history, first, style, error);
	if (result < 0)
		return result;
	return put_end(&sink, result);
}
