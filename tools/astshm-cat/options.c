/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "options.h"

#define DEFAULT_PERIOD_NS 1000000000

/* Every option once: getopt's tables and --help are made from this. */
struct option_row {
	int letter; /* > 255: there is no short form */
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	bool (*set)(struct options *options, const char *text);
};

static bool usage(const char *text)
{
	message("%s; see astshm-cat --help", text);
	return false;
}

static bool bad_argument(const char *option, const char *text, const char *wanted)
{
	message("%s '%s': %s; see astshm-cat --help", option, text, wanted);
	return false;
}

static bool no_memory(struct options *options)
{
	message("out of memory");
	options->out_of_memory = true;
	return false;
}

static bool set_format(struct options *options, const char *text)
{
	static const struct {
		const char *name;
		enum format format;
	} formats[] = {
		{ "json", FORMAT_JSON },       { "msgpack", FORMAT_MSGPACK },
		{ "prometheus", FORMAT_PROMETHEUS }, { "summary", FORMAT_SUMMARY },
		{ "table", FORMAT_TABLE },
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(text, formats[i].name) == 0) {
			options->format = formats[i].format;
			return true;
		}
	}
	return bad_argument("--format", text,
			    "is none of json, msgpack, prometheus, summary, table");
}

static bool set_watch(struct options *options, const char *text)
{
	if (!duration_parse(text, &options->period_ns) || options->period_ns == 0)
		return bad_argument("--watch", text,
				    "is no time above zero such as 2, 0.5, 60s, 5m or 1h");
	options->watch = true;
	options->period_given = true;
	return true;
}

/* A whole number above zero. */
static bool parse_count(const char *text, uint64_t *count)
{
	uint64_t value = 0;

	for (const char *at = text; *at; at++) {
		if (*at < '0' || *at > '9' || __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return false;
	}
	*count = value;
	return value > 0;
}

static bool set_count(struct options *options, const char *text)
{
	if (!parse_count(text, &options->count))
		return bad_argument("--count", text, "is no whole number above zero");
	options->watch = true;
	return true;
}

static bool set_delta(struct options *options, const char *text)
{
	(void)text;
	options->delta = true;
	options->watch = true;
	return true;
}

static bool set_window(struct options *options, const char *text)
{
	if (!duration_parse(text, &options->window_ns) || options->window_ns == 0)
		return bad_argument("--window", text,
				    "is no time above zero such as 2, 0.5, 60s, 5m or 1h");
	return true;
}

static bool set_history(struct options *options, const char *text)
{
	(void)text;
	options->history = true;
	return true;
}

static bool set_post_mortem(struct options *options, const char *text)
{
	(void)text;
	options->post_mortem = true;
	return true;
}

static bool set_match(struct options *options, const char *text)
{
	int result = selection_add_name(&options->selection, text);

	if (result == -EINVAL)
		return bad_argument("--match", text, "holds no pattern");
	return result == 0 || no_memory(options);
}

static bool set_tag(struct options *options, const char *text)
{
	int result = selection_add_tag(&options->selection, text);

	if (result == -EINVAL)
		return bad_argument("--tag", text, "is not of the form KEY=VALUE");
	return result == 0 || no_memory(options);
}

static bool set_buckets(struct options *options, const char *text)
{
	(void)text;
	options->buckets = true;
	return true;
}

static bool set_per_thread(struct options *options, const char *text)
{
	(void)text;
	options->per_thread = true;
	return true;
}

static bool set_merge(struct options *options, const char *text)
{
	(void)text;
	options->merge = true;
	return true;
}

static void free_group(struct options *options)
{
	for (size_t i = 0; i < options->group_key_count; i++)
		free(options->group_keys[i]);
	free(options->group_keys);
	options->group_keys = NULL;
	options->group_key_count = 0;
}

static bool add_group_key(struct options *options, const char *key, size_t length)
{
	char **keys = reallocarray(options->group_keys, options->group_key_count + 1,
				   sizeof(*keys));

	if (!keys)
		return no_memory(options);
	options->group_keys = keys;
	keys[options->group_key_count] = strndup(key, length);
	if (!keys[options->group_key_count])
		return no_memory(options);
	options->group_key_count++;
	return true;
}

static bool set_group(struct options *options, const char *text)
{
	const char *at = text;

	free_group(options);
	options->group = true;
	if (*text == '\0')
		return true;
	for (;;) {
		size_t length = strcspn(at, ",");

		if (length == 0)
			return bad_argument("--group-by", text, "names an empty tag");
		if (!add_group_key(options, at, length))
			return false;
		if (at[length] == '\0')
			return true;
		at += length + 1;
	}
}

static bool set_value(struct options *options, const char *text)
{
	if (text[0] == '\0')
		return bad_argument("--value", text, "names no metric");
	options->value = text;
	return true;
}

static bool set_sort(struct options *options, const char *text)
{
	if (!field_parse_sort(text, &options->sort_field))
		return bad_argument("--sort", text,
				    "is no field such as key, value, count, mean, max or p95");
	options->sort = true;
	return true;
}

static bool set_top(struct options *options, const char *text)
{
	if (!parse_count(text, &options->top))
		return bad_argument("--top", text, "is no whole number above zero");
	return true;
}

static bool set_since(struct options *options, const char *text)
{
	options->since = text;
	return true;
}

static bool set_wait(struct options *options, const char *text)
{
	if (!duration_parse(text, &options->wait_ns))
		return bad_argument("--wait", text, "is no time such as 2, 0.5, 60s, 5m or 1h");
	return true;
}

static bool set_output(struct options *options, const char *text)
{
	if (text[0] == '\0')
		return bad_argument("--output", text, "names no file");
	options->output = strcmp(text, "-") == 0 ? NULL : text;
	return true;
}

static bool set_require_live(struct options *options, const char *text)
{
	(void)text;
	options->require_live = true;
	return true;
}

static bool set_pretty(struct options *options, const char *text)
{
	(void)text;
	options->pretty = true;
	return true;
}

enum { ONLY_LONG = 256, HELP, VERSION, BUCKETS, PER_THREAD, MERGE, VALUE, SORT, TOP, SINCE, WAIT,
       REQUIRE_LIVE, PRETTY, WINDOW, HISTORY, POST_MORTEM };

static const struct option_row rows[] = {
	{ 'f', "format", "FORMAT", "json, msgpack, prometheus, summary or table\n"
	  "(default: table on a terminal, else json)", set_format },
	{ 'w', "watch", "SECONDS", "print again every SECONDS", set_watch },
	{ 'n', "count", "N", "end after N times (alone: -w 1)", set_count },
	{ 'd', "delta", NULL, "what happened since the previous time: rates,\n"
	  "timings of the interval only (alone: -w 1)", set_delta },
	{ WINDOW, "window", "SECONDS", "with the last SECONDS: their rates and timings too",
	  set_window },
	{ HISTORY, "history", NULL, "one document for each entry of the segment's history\n"
	  "(-d: for each time between; -n N: the last N)", set_history },
	{ POST_MORTEM, "post-mortem", NULL, "what came before a writer's end (-f table or json)",
	  set_post_mortem },
	{ 'm', "match", "GLOB", "series whose name matches; !GLOB: those not", set_match },
	{ 't', "tag", "KEY=VALUE", "series with that tag, VALUE a glob; !: those not", set_tag },
	{ BUCKETS, "buckets", NULL, "add histogram buckets to json", set_buckets },
	{ PER_THREAD, "per-thread", NULL, "show values thread by thread too", set_per_thread },
	{ MERGE, "merge", NULL, "several SEGMENTs or FILEs into one snapshot", set_merge },
	{ 'g', "group-by", "TAGS", "add up over all tags but TAGS (k1,k2; '': none)", set_group },
	{ VALUE, "value", "KEY[:FIELD]", "that number alone", set_value },
	{ SORT, "sort", "FIELD", "largest FIELD first (+FIELD: smallest first)", set_sort },
	{ TOP, "top", "N", "the first N series of each kind", set_top },
	{ SINCE, "since", "FILE", "the difference to a saved msgpack snapshot", set_since },
	{ WAIT, "wait", "SECONDS", "wait that long for the segment to appear", set_wait },
	{ 'o', "output", "FILE", "write FILE, replaced as a whole each time", set_output },
	{ REQUIRE_LIVE, "require-live", NULL, "fail unless the writer is alive (after --wait)",
	  set_require_live },
	{ PRETTY, "pretty", NULL, "indent json", set_pretty },
	{ HELP, "help", NULL, "print this and exit", NULL },
	{ VERSION, "version", NULL, "print the version and exit", NULL },
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const struct option_row *find_row(int letter)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].letter == letter)
			return &rows[i];
	}
	return NULL;
}

/* The second and later lines of a help text stand below the first. */
static void print_row_help(const char *help)
{
	const char *end;

	while ((end = strchr(help, '\n')) != NULL) {
		printf("%.*s\n%*s", (int)(end - help), help, 28, "");
		help = end + 1;
	}
	printf("%s\n", help);
}

static void print_row(const struct option_row *row)
{
	char left[64];

	snprintf(left, sizeof(left), "%.1s%.1s%s --%s%s%s", row->letter < ONLY_LONG ? "-" : " ",
		 row->letter < ONLY_LONG ? (char[]){ (char)row->letter, 0 } : " ",
		 row->letter < ONLY_LONG ? "," : " ", row->name, row->argument ? " " : "",
		 row->argument ? row->argument : "");
	printf("  %-25s ", left);
	print_row_help(row->help);
}

static void print_help(void)
{
	printf("Usage: astshm-cat [OPTIONS] [SEGMENT | FILE]\n"
	       "       astshm-cat --merge [OPTIONS] SEGMENT | FILE ...\n"
	       "Print the metrics of a shared-memory segment.\n\n"
	       "SEGMENT is a name, a process id or a path; FILE a saved msgpack snapshot ('-':\n"
	       "stdin). With neither: the only live segment.\n\n");
	for (size_t i = 0; i < ROW_COUNT; i++)
		print_row(&rows[i]);
	printf("\nExit status: 0 printed, 1 other error, 2 usage, 3 no such segment,\n"
	       "4 no permission, 5 incompatible version, 6 corrupt, 7 writer not alive\n"
	       "(--require-live), 8 the selection matched nothing, 9 no history (--window,\n"
	       "--history, --post-mortem). See astshm-cat(1).\n");
}

struct getopt_tables {
	char shorts[2 * ROW_COUNT + 3];
	struct option longs[ROW_COUNT + 1];
};

static void make_tables(struct getopt_tables *tables)
{
	char *at = tables->shorts;

	*at++ = ':';
	for (size_t i = 0; i < ROW_COUNT; i++) {
		tables->longs[i] = (struct option){
			rows[i].name, rows[i].argument ? required_argument : no_argument, NULL,
			rows[i].letter
		};
		if (rows[i].letter >= ONLY_LONG)
			continue;
		*at++ = (char)rows[i].letter;
		if (rows[i].argument)
			*at++ = ':';
	}
	*at = '\0';
	tables->longs[ROW_COUNT] = (struct option){ 0 };
}

/* What getopt_long calls '?' or ':': an option unknown, or used wrongly. */
static bool bad_option(int result, char **argv)
{
	const struct option_row *row = optopt ? find_row(optopt) : NULL;

	if (row && result == ':')
		message("--%s needs an argument (%s); see astshm-cat --help", row->name,
			row->argument);
	else if (row)
		message("--%s takes no argument; see astshm-cat --help", row->name);
	else if (optopt)
		message("unknown option -%c; see astshm-cat --help", optopt);
	else
		message("unknown or ambiguous option %s; see astshm-cat --help", argv[optind - 1]);
	return false;
}

static bool parse_all(struct options *options, int argc, char **argv, bool *printed)
{
	struct getopt_tables tables;
	int letter;

	make_tables(&tables);
	opterr = 0;
	while ((letter = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		if (letter == '?' || letter == ':')
			return bad_option(letter, argv);
		if (letter == HELP || letter == VERSION) {
			if (letter == HELP)
				print_help();
			else
				printf("astshm-cat %s\n", ASTSHM_VERSION);
			*printed = true;
			return true;
		}
		if (!find_row(letter)->set(options, optarg))
			return false;
	}
	options->arguments = argv + optind;
	options->argument_count = (size_t)(argc - optind);
	return true;
}

static bool check_window(const struct options *options)
{
	if (options->delta || options->since)
		return usage("--window excludes --delta and --since, which have an interval of "
			     "their own");
	if (options->merge)
		return usage("--window and --merge exclude each other: no two windows are the same "
			     "time");
	return true;
}

static bool check_history(const struct options *options)
{
	if (options->window_ns || options->since || options->merge || options->period_given ||
	    options->post_mortem)
		return usage("--history goes with none of --watch, --window, --since, --merge, "
			     "--post-mortem");
	if (options->per_thread)
		return usage("a history has no values of threads (--per-thread)");
	if (options->format == FORMAT_PROMETHEUS)
		return usage("--history has many times, --format prometheus only one");
	return true;
}

static bool check_post_mortem(const struct options *options)
{
	if (options->watch || options->since || options->merge || options->value ||
	    options->require_live)
		return usage("--post-mortem goes with none of --watch, --count, --delta, --since, "
			     "--merge, --value, --require-live");
	if (options->format != FORMAT_DEFAULT && options->format != FORMAT_TABLE &&
	    options->format != FORMAT_JSON)
		return usage("--post-mortem prints --format table or json");
	return true;
}

/* What each option alone cannot know. */
static bool check_together(const struct options *options)
{
	if ((options->history && !check_history(options)) ||
	    (options->post_mortem && !check_post_mortem(options)) ||
	    (options->window_ns && !check_window(options)))
		return false;
	if (options->argument_count > 1 && !options->merge)
		return usage("several segments or files need --merge");
	if (options->delta && options->since)
		return usage("--delta and --since exclude each other");
	/* A scraper takes what is called _total for a total, and would see it
	 * fall from interval to interval. */
	if ((options->delta || options->since) && options->format == FORMAT_PROMETHEUS)
		return usage("--delta and --since show intervals, but the counters of --format "
			     "prometheus are totals");
	for (size_t i = 0; i < options->argument_count; i++) {
		if (options->arguments[i][0] == '\0')
			return usage("the name of a segment or file is empty");
		if (options->watch && strcmp(options->arguments[i], "-") == 0)
			return usage("stdin can be read once only: no --watch, --count or --delta");
	}
	return true;
}

bool options_parse(struct options *options, int argc, char **argv, enum exit_status *status)
{
	bool printed = false;

	*options = (struct options){ .period_ns = DEFAULT_PERIOD_NS };
	if (!parse_all(options, argc, argv, &printed) ||
	    (!printed && !check_together(options))) {
		*status = options->out_of_memory ? EXIT_OTHER : EXIT_USAGE;
		options_free(options);
		return false;
	}
	if (printed) {
		*status = finish_stdout();
		options_free(options);
		return false;
	}
	if (options->history)
		options->watch = false; /* -n and -d mean its entries */
	if (options->top > 0 && !options->sort) {
		options->sort = true;
		options->sort_field = (struct sort_field){ .field = { .id = FIELD_MAIN } };
	}
	return true;
}

void options_free(struct options *options)
{
	selection_free(&options->selection);
	free_group(options);
}
