/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>

#include "duration.h"
#include "options.h"

#define SECOND_NS INT64_C(1000000000)
#define INTERVAL_MIN_NS (SECOND_NS / 20) /* what nobody could read is not drawn */

static void print_help(void)
{
	printf("Usage: astshm-top [OPTIONS] [SEGMENT]\n"
	       "Show the metrics of a shared-memory segment live: a dashboard, and all series.\n\n"
	       "SEGMENT is a name, a process id or a path. Without: the only live segment.\n\n"
	       "      --once               print the dashboard as text and exit\n"
	       "  -i, --interval SECONDS   refresh every SECONDS (default: 1)\n"
	       "      --window SECONDS     statistics of the last SECONDS (default: 60)\n"
	       "      --wait SECONDS       wait that long for the segment to appear\n"
	       "      --no-color           no colours (as with NO_COLOR in the environment)\n"
	       "      --ascii              no characters but ASCII\n"
	       "      --help               print this and exit\n"
	       "      --version            print the version and exit\n\n"
	       "Press ? for the keys.\n\n"
	       "Exit status: 0 done, 1 other error, 2 usage, 3 no such segment, 4 no permission,\n"
	       "5 incompatible version, 6 corrupt. See astshm-top(1).\n");
}

static bool parse_time(const char *option, const char *text, int64_t least_ns, int64_t *ns)
{
	if (!duration_parse(text, ns)) {
		message("%s '%s': is no time such as 2, 0.5, 60s, 5m or 1h; see astshm-top --help",
			option, text);
		return false;
	}
	if (*ns < least_ns) {
		message("%s '%s': is less than %g s; see astshm-top --help", option, text,
			(double)least_ns / 1e9);
		return false;
	}
	return true;
}

enum { HELP = 256, VERSION, ONCE, WINDOW, WAIT, NO_COLOR, ASCII };

static const struct option longs[] = {
	{ "once", no_argument, NULL, ONCE },
	{ "interval", required_argument, NULL, 'i' },
	{ "window", required_argument, NULL, WINDOW },
	{ "wait", required_argument, NULL, WAIT },
	{ "no-color", no_argument, NULL, NO_COLOR },
	{ "ascii", no_argument, NULL, ASCII },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool set(struct options *options, int letter, char **argv)
{
	switch (letter) {
	case ONCE:
		options->once = true;
		return true;
	case 'i':
		return parse_time("--interval", optarg, INTERVAL_MIN_NS, &options->interval_ns);
	case WINDOW:
		return parse_time("--window", optarg, SECOND_NS, &options->window_ns);
	case WAIT:
		return parse_time("--wait", optarg, 0, &options->wait_ns);
	case NO_COLOR:
		options->no_color = true;
		return true;
	case ASCII:
		options->ascii = true;
		return true;
	case ':':
		message("%s needs an argument; see astshm-top --help", argv[optind - 1]);
		return false;
	default:
		message("unknown or misused option %s; see astshm-top --help", argv[optind - 1]);
		return false;
	}
}

/* Those that print and end; false: it is none of them. */
static bool print_and_end(int letter, enum exit_status *status)
{
	if (letter == HELP)
		print_help();
	else if (letter == VERSION)
		printf("astshm-top %s\n", ASTSHM_VERSION);
	else
		return false;
	*status = finish_stdout();
	return true;
}

bool options_parse(struct options *options, int argc, char **argv, enum exit_status *status)
{
	int letter;

	*options = (struct options){ .interval_ns = SECOND_NS, .window_ns = 60 * SECOND_NS };
	*status = EXIT_USAGE;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":i:", longs, NULL)) != -1) {
		if (print_and_end(letter, status) || !set(options, letter, argv))
			return false;
	}
	if (argc - optind > 1) {
		message("one segment at a time; see astshm-top --help");
		return false;
	}
	options->segment = argv[optind];
	if (options->segment && options->segment[0] == '\0') {
		message("the name of a segment is empty; see astshm-top --help");
		return false;
	}
	return true;
}
