/* SPDX-License-Identifier: MIT */
/* astshm-bench: what recording costs, side by side, in one run. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "cores.h"
#include "fail.h"

static const char help[] =
	"Usage: astshm-bench SUBCOMMAND [OPTION]...\n"
	"\n"
	"Measures recording and reading beside rivals that do the same work, and checks\n"
	"every total through a reader.\n"
	"\n"
	"  record      one operation at a time, by handle and by name\n"
	"  threads     1 to 4 threads a core, on the same series and on different ones\n"
	"  registry    registration and look-up at 100 to 1,000,000 series\n"
	"  snapshot    attach, snapshot and each encoder\n"
	"  history     a tick that keeps the last minutes, and looking back on them\n"
	"  readers     recording while 0 to 16 processes poll\n"
	"  memory      committed bytes by series, kind and threads\n"
	"  server      ast-server under load, with metrics and without\n"
	"\n"
	"  --quick            a short form that proves that it works\n"
	"  --rounds N         rounds of all cases [31]\n"
	"  --json FILE        write the figures there too; -: standard output\n"
	"  --compare FILE     say what became slower than in that earlier --json FILE\n"
	"  --server PATH      ast-server, for memory and server\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 measured, 1 a total was wrong or it could not be measured,\n"
	"2 usage, 3 with --compare: something became slower.\n";

static const struct {
	const char *name;
	void (*run)(const struct bench_options *options, struct bench_report *report);
} commands[] = {
	{ "record", bench_record },     { "threads", bench_threads },
	{ "registry", bench_registry }, { "snapshot", bench_snapshot },
	{ "history", bench_history },   { "readers", bench_readers },
	{ "memory", bench_memory },     { "server", bench_server },
};

enum { OPT_QUICK = 256, OPT_ROUNDS, OPT_JSON, OPT_COMPARE, OPT_SERVER, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	{ "quick", no_argument, NULL, OPT_QUICK },
	{ "rounds", required_argument, NULL, OPT_ROUNDS },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "compare", required_argument, NULL, OPT_COMPARE },
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void usage(void)
{
	fputs("usage: astshm-bench SUBCOMMAND [OPTION]..., see --help\n", stderr);
	exit(BENCH_EXIT_USAGE);
}

static size_t parse_rounds(const char *text)
{
	char *end;
	long rounds = strtol(text, &end, 10);

	if (end == text || *end != '\0' || rounds < 1 || rounds > 100000)
		usage();
	return (size_t)rounds;
}

static void take_option(struct bench_options *options, int option)
{
	switch (option) {
	case OPT_QUICK:
		options->quick = true;
		break;
	case OPT_ROUNDS:
		options->rounds = parse_rounds(optarg);
		break;
	case OPT_JSON:
		options->json = optarg;
		break;
	case OPT_COMPARE:
		options->compare = optarg;
		break;
	case OPT_SERVER:
		options->server = optarg;
		break;
	case OPT_HELP:
		fputs(help, stdout);
		exit(0);
	case OPT_VERSION:
		puts("astshm-bench " ASTSHM_VERSION);
		exit(0);
	default:
		usage();
	}
}

/* The figures; with --json - they alone are on standard output. */
static int publish(const struct bench_options *options, const struct bench_report *report)
{
	bool alone = options->json && strcmp(options->json, "-") == 0;
	bool slower = false;

	if (!alone)
		bench_report_print(report);
	if (options->compare)
		slower = bench_report_compare(report, options->compare);
	if (options->json)
		bench_report_write(report, options->json);
	return slower ? BENCH_EXIT_SLOWER : 0;
}

static int run(const char *name, const struct bench_options *options)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		struct bench_report report = { .subcommand = name, .quick = options->quick };
		bench_core_count();
		commands[i].run(options, &report);
		int status = publish(options, &report);
		bench_report_free(&report);
		return status;
	}
	usage();
	return BENCH_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct bench_options options = { 0 };
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(&options, option);
	if (argc - optind != 1)
		usage();
	return run(argv[optind], &options);
}
