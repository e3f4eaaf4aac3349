/* SPDX-License-Identifier: MIT */
/* The header as C++: overloads that take tags in braces, scopes as classes. */
#include <cstdio>

#include <astshm/writer.h>

static int failed;

static void expect(const char *what, long wanted, long got)
{
	std::printf("%s %s\n", wanted == got ? "ok" : "not ok", what);
	if (wanted != got) {
		std::printf("wanted %ld, got %ld\n", wanted, got);
		failed = 1;
	}
}

static void time_scopes(struct astshm_writer *writer, struct astshm_timing timing)
{
	ASTSHM_TIME_SCOPE(timing);
	ASTSHM_TIME_SCOPE_NAMED(writer, "named", ASTSHM_NO_TAGS);
	ASTSHM_TIME_SCOPE_NAMED(writer, "tagged", {{"a", "1"}, {"b", "2"}});
}

static void check_counters(struct astshm_writer *writer)
{
	int64_t value = 0;

	astshm_increment(writer, "c");
	astshm_increment(writer, "c", 2, {{"k", "v"}, {"a", "b"}});
	astshm_decrement(writer, "c", 5, {{"a", "b"}, {"k", "v"}});
	expect("tags_in_braces_find_the_series", 0,
	       astshm_get_counter(writer, "c", {{"a", "b"}, {"k", "v"}}, &value));
	expect("tags_in_braces_record", -3, (long)value);
	expect("tags_in_braces_remove", 1,
	       astshm_remove(writer, ASTSHM_KIND_COUNTER, "c", {{"k", "v"}, {"a", "b"}}));
}

static void check_scopes(struct astshm_writer *writer)
{
	struct astshm_metric metric = {};
	struct astshm_timing timing;
	struct astshm_statistics value = {};

	metric.name = "held";
	expect("registering_works", 0, astshm_timing_register(writer, &metric, &timing, nullptr));
	time_scopes(writer, timing);
	(void)astshm_get_timing(writer, "held", {}, &value);
	expect("scope_records_at_its_end", 1, (long)value.count);
	(void)astshm_get_timing(writer, "named", {}, &value);
	expect("named_scope_records", 1, (long)value.count);
	(void)astshm_get_timing(writer, "tagged", {{"b", "2"}, {"a", "1"}}, &value);
	expect("tagged_scope_records", 1, (long)value.count);
}

int main()
{
	struct astshm_writer *writer;
	struct astshm_error error;

	if (astshm_writer_open(&writer, "t{pid}-cxx", nullptr, &error) < 0) {
		std::printf("not ok open: %s\n", error.text);
		return 1;
	}
	check_counters(writer);
	check_scopes(writer);
	astshm_writer_close(&writer);
	return failed;
}
