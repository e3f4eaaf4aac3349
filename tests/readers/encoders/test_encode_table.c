/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "sample.h"
#include "text.h"

static struct sample_output encode(const struct astshm_snapshot *snapshot, unsigned width,
				   unsigned flags);

static void table_is_exactly_this(void **state)
{
	static const int64_t times[] = { 850, 850, 850 };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	snapshot->segment.torn = 2;
	sample_timing(snapshot, "fast", times, 3);
	sample_timing(snapshot, "never", NULL, 0);
	sample_counter(snapshot, "events", 15420);
	sample_gauge(snapshot, "cache.hit_rate", 0.873);
	sample_end(snapshot);
	struct sample_output output = encode(snapshot, 80, 0);
	assert_string_equal(output.bytes,
			    "sample  pid 4711  live  torn 2\n"
			    "2026-11-22T10:30:00Z  up 1h00m00s\n"
			    "\n"
			    "TIMINGS  COUNT   MEAN    P50    P95    P99    MAX\n"
			    "fast         3  850ns  850ns  850ns  850ns  850ns\n"
			    "never        0      -      -      -      -      -\n"
			    "\n"
			    "COUNTERS  VALUE\n"
			    "events    15420\n"
			    "\n"
			    "GAUGES          CURRENT    MIN    MAX   MEAN\n"
			    "cache.hit_rate    0.873  0.873  0.873  0.873\n");
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

static int append(void *context, const void *bytes, size_t count)
{
	struct sample_output *output = context;
	output->bytes = realloc(output->bytes, output->size + count + 1);
	memcpy(output->bytes + output->size, bytes, count);
	output->size += count;
	output->bytes[output->size] = '\0';
	return 0;
}

static struct sample_output encode(const struct astshm_snapshot *snapshot, unsigned width,
				   unsigned flags)
{
	struct sample_output output = { NULL, 0 };
	struct astshm_sink sink = { append, &output };
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	options.width = width;
	options.flags = flags;
	assert_int_equal(astshm_encode_table(snapshot, &sink, &options), 0);
	return output;
}

/* The columns that the widest line fills. */
static size_t widest(const struct sample_output *output)
{
	size_t most = 0;
	for (const char *line = output->bytes; *line;) {
		size_t length = strcspn(line, "\n");
		size_t columns = text_columns(line, length);
		most = columns > most ? columns : most;
		line += length + (line[length] == '\n');
	}
	return most;
}

static void long_names_are_cut_in_the_middle_to_fit(void **state)
{
	static const struct astshm_tag tags[] = {
		{ "event_type", "/live/transport/\xc3\xa4\xc3\xa4" },
	};
	static const int64_t times[] = { 1234567 };
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	struct astshm_series *series = sample_series(
		snapshot, ASTSHM_KIND_TIMING, "event.processing.duration", tags, 1);
	sample_fill(snapshot, &series->histogram, ASTSHM_KIND_TIMING, times, 1);
	sample_end(snapshot);
	struct sample_output narrow = encode(snapshot, 80, 0), wide = encode(snapshot, 0, 0);
	assert_int_equal(widest(&narrow), 80);
	assert_non_null(strstr(narrow.bytes, "event.proc"));
	assert_non_null(strstr(narrow.bytes, "\xe2\x80\xa6"));
	assert_non_null(strstr(narrow.bytes, "transport/\xc3\xa4\xc3\xa4]  "));
	assert_non_null(strstr(wide.bytes, series->key));
	free(narrow.bytes);
	free(wide.bytes);
	astshm_snapshot_free(&snapshot);
}

static void columns_line_up_over_wide_characters(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_counter(snapshot, "\xe6\xbc\xa2\xe5\xad\x97.abcdef", 1);
	sample_counter(snapshot, "abcdefghijk", 2);
	sample_end(snapshot);
	struct sample_output output = encode(snapshot, 80, 0);
	assert_non_null(strstr(output.bytes, "\nabcdefghijk      2\n"));
	assert_non_null(strstr(output.bytes, "\n\xe6\xbc\xa2\xe5\xad\x97.abcdef      1\n"));
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

static void threads_stand_below_their_series(void **state)
{
	struct astshm_snapshot *snapshot = sample_threads();
	struct sample_output output = encode(snapshot, 0, 0);
	(void)state;
	const char *series = strstr(output.bytes, "\nevents.received ");
	assert_non_null(series);
	const char *thread = strchr(series + 1, '\n');
	assert_memory_equal(thread, "\n  slot 1: event \xc3\xa4 (tid 5000) ", 30);
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

static void interval_shows_rates_and_increases(void **state)
{
	struct astshm_snapshot *older = sample_begin(), *newer = sample_begin(), *interval = NULL;
	(void)state;
	sample_counter(older, "events", 100);
	sample_counter(newer, "events", 105);
	sample_end(older);
	sample_end(newer);
	older->timestamp_ns -= 2000000000;
	assert_int_equal(astshm_snapshot_subtract(newer, older, &interval, NULL), 0);
	struct sample_output output = encode(interval, 80, 0);
	assert_non_null(strstr(output.bytes, "interval 2.00s\n\n"
					     "COUNTERS  PER SECOND  INCREASE\n"
					     "events           2.5         5\n"));
	free(output.bytes);
	astshm_snapshot_free(&older);
	astshm_snapshot_free(&newer);
	astshm_snapshot_free(&interval);
}

static void interval_leaves_out_what_did_not_happen(void **state)
{
	struct astshm_snapshot *older = sample_begin(), *newer = sample_begin(), *interval = NULL;
	(void)state;
	sample_counter(older, "busy", 100);
	sample_counter(newer, "busy", 105);
	sample_counter(older, "quiet.with.a.long.name", 7);
	sample_counter(newer, "quiet.with.a.long.name", 7);
	sample_gauge(older, "level", 3);
	sample_gauge(newer, "level", 3);
	sample_end(older);
	sample_end(newer);
	older->timestamp_ns -= 2000000000;
	assert_int_equal(astshm_snapshot_subtract(newer, older, &interval, NULL), 0);
	struct sample_output output = encode(interval, 80, 0);
	assert_non_null(strstr(output.bytes, "\n\nCOUNTERS  PER SECOND  INCREASE\n"
					     "busy             2.5         5\n\n"
					     "GAUGES  CURRENT"));
	assert_non_null(strstr(output.bytes,
			       "\n\n1 series without activity in the interval not shown\n"));
	assert_null(strstr(output.bytes, "quiet"));
	free(output.bytes);
	astshm_snapshot_free(&older);
	astshm_snapshot_free(&newer);
	astshm_snapshot_free(&interval);
}

static void head_says_when_a_late_writer_was_last_heard_of(void **state)
{
	static const struct {
		enum astshm_state state;
		int64_t age_ns, period_ns;
		const char *text; /* NULL: nothing is said */
	} cases[] = {
		{ ASTSHM_STATE_LIVE, 3000000000, 1000000000, NULL },
		{ ASTSHM_STATE_LIVE, 15900000000, 1000000000, "live  heartbeat 15s ago\n" },
		{ ASTSHM_STATE_LIVE, 15000000000, 0, NULL },
		{ ASTSHM_STATE_LIVE, -1, 1000000000, NULL },
		{ ASTSHM_STATE_DEAD, 3725000000000, 0, "dead  heartbeat 1h02m05s ago\n" },
		{ ASTSHM_STATE_CLOSED, 0, 1000000000, "closed  heartbeat 0s ago\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct astshm_snapshot *snapshot = sample_begin();
		snapshot->segment.state = cases[i].state;
		snapshot->segment.heartbeat_age_ns = cases[i].age_ns;
		snapshot->segment.heartbeat_period_ns = cases[i].period_ns;
		sample_end(snapshot);
		struct sample_output output = encode(snapshot, 80, 0);
		if (cases[i].text)
			assert_non_null(strstr(output.bytes, cases[i].text));
		else
			assert_null(strstr(output.bytes, "heartbeat"));
		free(output.bytes);
		astshm_snapshot_free(&snapshot);
	}
}

static void escapes_come_only_when_color_is_asked_for(void **state)
{
	struct astshm_snapshot *snapshot = sample_begin();
	(void)state;
	sample_counter(snapshot, "evil\033[2Jname", 1);
	snapshot->segment.state = ASTSHM_STATE_DEAD;
	sample_end(snapshot);
	struct sample_output plain = encode(snapshot, 80, 0);
	struct sample_output color = encode(snapshot, 80, ASTSHM_ENCODE_COLOR);
	assert_null(strchr(plain.bytes, '\033'));
	assert_non_null(strstr(color.bytes, "\033[31mdead\033[0m"));
	assert_null(strstr(color.bytes, "\033[2J"));
	free(plain.bytes);
	free(color.bytes);
	astshm_snapshot_free(&snapshot);
}

static const char *human(void (*format)(char text[HUMAN_BYTES], double value), double value)
{
	static char text[HUMAN_BYTES];
	format(text, value);
	return text;
}

static void numbers_are_short_for_people(void **state)
{
	char text[HUMAN_BYTES];
	(void)state;
	assert_string_equal(human(human_time, 0), "0ns");
	assert_string_equal(human(human_time, 850), "850ns");
	assert_string_equal(human(human_time, 12345), "12.3us");
	assert_string_equal(human(human_time, 999600), "1.00ms");
	assert_string_equal(human(human_time, 5204815), "5.20ms");
	assert_string_equal(human(human_time, 1.5e9), "1.50s");
	assert_string_equal(human(human_time, 4321e9), "4321s");
	assert_string_equal(human(human_time, -2e6), "-2.00ms");
	assert_string_equal(human(human_bytes, 512), "512B");
	assert_string_equal(human(human_bytes, 70000), "68.4KiB");
	assert_string_equal(human(human_bytes, 1073741824), "1.00GiB");
	assert_string_equal(human(human_number, 1.0 / 3), "0.333333");
	assert_string_equal(human(human_number, 12345678), "12345678");
	assert_string_equal(human(human_number, 87.3125), "87.3125");
	human_uptime(text, 4250000000);
	assert_string_equal(text, "4.25s");
	human_uptime(text, 184000000000);
	assert_string_equal(text, "3m04s");
	human_uptime(text, 93784000000000);
	assert_string_equal(text, "1d 02h03m04s");
}

static void a_window_follows_the_lifetime(void **state)
{
	struct astshm_snapshot *snapshot = sample_window();
	struct sample_output output = sample_encode(astshm_encode_table, snapshot, 0);
	(void)state;
	const char *window = strstr(output.bytes, "\nin the last 59.9s\n\n");
	assert_non_null(window);
	assert_non_null(strstr(
		window,
		"TIMINGS                    PER SECOND   MEAN    P50    P95    P99    MAX\n"
		"event.processing.duration   0.0167015  250ms  250ms  250ms  250ms  250ms\n\n"
		"COUNTERS           PER SECOND  INCREASE\n"
		"events.received      0.167015        10\n"
		"process.cpu         0.0250522     1.50s\n"
		"websocket.pending  -0.0668058        -4\n"));
	assert_non_null(strstr(window, "queue.depth[queue=udp]         5         2        12"));
	assert_non_null(strstr(window, "\n7 series without activity in the interval not shown\n"));
	assert_null(strstr(window, "slot 1"));
	free(output.bytes);
	astshm_snapshot_free(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_exactly_this),
		cmocka_unit_test(long_names_are_cut_in_the_middle_to_fit),
		cmocka_unit_test(columns_line_up_over_wide_characters),
		cmocka_unit_test(threads_stand_below_their_series),
		cmocka_unit_test(interval_shows_rates_and_increases),
		cmocka_unit_test(interval_leaves_out_what_did_not_happen),
		cmocka_unit_test(head_says_when_a_late_writer_was_last_heard_of),
		cmocka_unit_test(escapes_come_only_when_color_is_asked_for),
		cmocka_unit_test(numbers_are_short_for_people),
		cmocka_unit_test(a_window_follows_the_lifetime),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
