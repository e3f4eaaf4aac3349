/* SPDX-License-Identifier: MIT */
/* Prometheus text exposition format 0.0.4. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "derive.h"
#include "exposition.h"
#include "statistics.h"
#include "text.h"

struct prometheus {
	struct sink sink;
	const struct astshm_snapshot *snapshot;
	const struct astshm_encode_options *options;
	struct exposition_names names;
	struct exposition_labels labels;
	struct family_index index;
};

static void put_name(struct prometheus *to, size_t family, const char *suffix)
{
	sink_put_text(&to->sink, exposition_name(&to->names, family));
	sink_put_text(&to->sink, suffix);
}

/* {key="value",...}, with le="..." at the end where it is given. */
static void put_labels(struct prometheus *to, const struct astshm_series *series, const char *le)
{
	if (!series->tag_count && !le)
		return;
	sink_put_char(&to->sink, '{');
	for (uint32_t i = 0; i < series->tag_count; i++) {
		const struct astshm_label *tag = &series->tags[i];
		if (i > 0)
			sink_put_char(&to->sink, ',');
		sink_put_text(&to->sink, exposition_label(&to->labels, tag));
		sink_put(&to->sink, "=\"", 2);
		text_put_label(&to->sink, tag->value, tag->value_len);
		sink_put_char(&to->sink, '"');
	}
	if (le) {
		sink_put_text(&to->sink, series->tag_count ? ",le=\"" : "le=\"");
		sink_put_text(&to->sink, le);
		sink_put_char(&to->sink, '"');
	}
	sink_put_char(&to->sink, '}');
}

static void put_unsigned_line(struct prometheus *to, uint64_t value)
{
	char *p = sink_room(&to->sink, NUMBER_BYTES);
	*p++ = ' ';
	p = number_put_u64(p, value);
	*p++ = '\n';
	sink_end(&to->sink, p);
}

static void put_fixed_line(struct prometheus *to, bool negative, number_u128 value,
			   unsigned decimals)
{
	char *p = sink_room(&to->sink, NUMBER_BYTES + 3);
	*p++ = ' ';
	if (negative)
		*p++ = '-';
	p = number_put_fixed(p, value, decimals);
	*p++ = '\n';
	sink_end(&to->sink, p);
}

static void put_real_line(struct prometheus *to, double value)
{
	char *p = sink_room(&to->sink, NUMBER_BYTES + 3);
	if (!isfinite(value)) {
		sink_put_text(&to->sink, isnan(value) ? " NaN\n"
					 : value > 0  ? " +Inf\n"
						      : " -Inf\n");
		return;
	}
	*p++ = ' ';
	p = number_put_double(p, value);
	*p++ = '\n';
	sink_end(&to->sink, p);
}

/* --- histograms ---------------------------------------------------------- */

static void put_bucket(struct prometheus *to, size_t family, const struct astshm_series *series,
		       const char *le, uint64_t count)
{
	put_name(to, family, "_bucket");
	put_labels(to, series, le);
	put_unsigned_line(to, count);
}

static void put_histogram(struct prometheus *to, size_t family, const struct astshm_series *series)
{
	const struct astshm_histogram *histogram = &series->histogram;
	size_t bounds;
	const struct exposition_bound *bound = exposition_bounds(series->kind, &bounds);
	uint64_t below[EXPOSITION_BOUNDS_MAX];
	if (histogram->has_buckets) {
		exposition_below(histogram, series->kind, below);
		for (size_t i = 0; i < bounds; i++)
			put_bucket(to, family, series, bound[i].text, below[i]);
	}
	put_bucket(to, family, series, "+Inf", histogram->count);
	put_name(to, family, "_sum");
	put_labels(to, series, NULL);
	put_fixed_line(to, false, number_join(histogram->sum_hi, histogram->sum),
		       series->kind == ASTSHM_KIND_TIMING ? 9 : 0);
	put_name(to, family, "_count");
	put_labels(to, series, NULL);
	put_unsigned_line(to, histogram->count);
}

/* Interval views show what was added, as everywhere. */
static void put_counter(struct prometheus *to, size_t family, const struct astshm_series *series)
{
	int64_t value = to->snapshot->interval_ns ? series->counter.increase
						  : series->counter.value;
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	put_name(to, family, "");
	put_labels(to, series, NULL);
	put_fixed_line(to, value < 0, size,
		       statistics_is_time_counter(series->family) ? 9 : 0);
}

static void put_series(struct prometheus *to, size_t family, const struct astshm_series *series)
{
	if (series->kind == ASTSHM_KIND_COUNTER) {
		put_counter(to, family, series);
	} else if (series->kind == ASTSHM_KIND_GAUGE) {
		put_name(to, family, "");
		put_labels(to, series, NULL);
		put_real_line(to, series->gauge.current);
	} else {
		put_histogram(to, family, series);
	}
}

/* --- families --------------------------------------------------------------- */

static const char *type_name(const struct astshm_family *family)
{
	if (family->kind == ASTSHM_KIND_COUNTER)
		return family->monotonic ? "counter" : "gauge";
	return family->kind == ASTSHM_KIND_GAUGE ? "gauge" : "histogram";
}

static void put_header(struct prometheus *to, size_t family_place)
{
	const struct astshm_family *family = to->snapshot->families[family_place];
	sink_put_text(&to->sink, "# HELP ");
	put_name(to, family_place, " ");
	if (family->help_len) {
		text_put_help(&to->sink, family->help, family->help_len);
	} else {
		sink_put_text(&to->sink, snapshot_kind_name(family->kind));
		sink_put_char(&to->sink, ' ');
		text_put_help(&to->sink, family->name, family->name_len);
	}
	sink_put_text(&to->sink, "\n# TYPE ");
	put_name(to, family_place, " ");
	sink_put_text(&to->sink, type_name(family));
	sink_put_char(&to->sink, '\n');
}

/* Says, as a comment and to whoever wants to know, what is not there and why. */
static void leave_out(struct prometheus *to, const struct astshm_family *family, const char *why,
		      const char *name)
{
	char line[1200];
	snprintf(line, sizeof line, "left out: %s %.*s: %s %s", snapshot_kind_name(family->kind),
		 (int)family->name_len, family->name, why, name);
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* a stranger's name on its way to a terminal */
	}
	sink_put(&to->sink, "# ", 2);
	text_put_help(&to->sink, line, strlen(line));
	sink_put_char(&to->sink, '\n');
	if (to->options && to->options->warn)
		to->options->warn(to->options->warn_context, line);
}

static void put_family(struct prometheus *to, size_t place)
{
	const struct astshm_family *family = to->snapshot->families[place];
	const uint32_t *first = to->index.series + to->index.first[place];
	size_t count = to->index.first[place + 1] - to->index.first[place];
	if (!count)
		return;
	if (to->names.taken[place]) {
		leave_out(to, family, "its name is taken already:",
			  exposition_name(&to->names, place));
		return;
	}
	if (!exposition_labels_init(&to->labels, to->snapshot->series, first, count)) {
		leave_out(to, family, "it has too many different tags,", "more than 64");
		return;
	}
	put_header(to, place);
	for (size_t i = 0; i < count && !to->sink.error; i++)
		put_series(to, place, &to->snapshot->series[first[i]]);
}

int astshm_encode_prometheus(const struct astshm_snapshot *snapshot, const struct astshm_sink *sink,
			     const struct astshm_encode_options *options)
{
	struct prometheus to = { .snapshot = snapshot, .options = options };
	sink_init(&to.sink, sink);
	if (family_index_init(&to.index, snapshot) < 0)
		return -ENOMEM;
	if (exposition_names_init(&to.names, snapshot, &to.index) < 0) {
		family_index_fini(&to.index);
		return -ENOMEM;
	}
	for (size_t i = 0; i < snapshot->family_count; i++)
		put_family(&to, i);
	exposition_names_fini(&to.names);
	family_index_fini(&to.index);
	return sink_finish(&to.sink);
}
