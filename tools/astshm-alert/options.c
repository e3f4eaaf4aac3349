/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"
#include "message.h"
#include "options.h"
#include "words.h"

#define DEFAULT_INTERVAL_NS 1000000000
#define DEFAULT_TIMEOUT_NS 10000000000
#define SHORTEST_INTERVAL_NS 10000000

enum { ONLY_LONG = 256, ONCE, RULES, CHECK, EXEC, EXEC_TIMEOUT, HELP, VERSION };

static const char help[] =
"Usage: astshm-alert [OPTIONS] [SEGMENT]\n"
"Watch a server's metrics and tell when they pass thresholds.\n\n"
"SEGMENT is a name, a process id or a path; without, the only live segment. Without\n"
"a rule, those installed for a segment of that name (ast-server has some).\n\n"
"  -r, --rule RULE           such as 'event.processing.duration p95 > 100ms over 30s'\n"
"      --rules FILE          a rule a line; '-': stdin; a name alone: installed ones\n"
"      --once                look once, print, and exit as a monitoring plugin\n"
"  -i, --interval SECONDS    between looks (default 1)\n"
"      --exec COMMAND        run it at each change (no shell; ASTSHM_ALERT_* tell)\n"
"      --exec-timeout SECONDS  a run's most (default 10)\n"
"      --check               only say whether the rules are sound\n"
"      --help                print this and exit\n"
"      --version             print the version and exit\n\n"
"Exit status: 0 ok, 1 warning, 2 critical, 3 unknown or wrong usage (--once); while\n"
"watching 0 when asked to end, 3 if it cannot begin. See astshm-alert(1).\n";

static const struct option longs[] = {
	{ "rule", required_argument, NULL, 'r' },
	{ "rules", required_argument, NULL, RULES },
	{ "once", no_argument, NULL, ONCE },
	{ "interval", required_argument, NULL, 'i' },
	{ "exec", required_argument, NULL, EXEC },
	{ "exec-timeout", required_argument, NULL, EXEC_TIMEOUT },
	{ "check", no_argument, NULL, CHECK },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool bad_argument(const char *option, const char *text, const char *wanted)
{
	message("%s '%s' %s; see astshm-alert --help", option, text, wanted);
	return false;
}

static bool set_interval(struct options *options, const char *text)
{
	if (duration_parse(text, &options->interval_ns) &&
	    options->interval_ns >= SHORTEST_INTERVAL_NS)
		return true;
	return bad_argument("--interval", text, "is no time from 10ms on such as 2, 0.5 or 1m");
}

static bool set_timeout(struct options *options, const char *text)
{
	if (duration_parse(text, &options->timeout_ns) && options->timeout_ns > 0 &&
	    options->timeout_ns <= RULE_DURATION_MAX_NS)
		return true;
	return bad_argument("--exec-timeout", text, "is no time above zero such as 10s or 1m");
}

static bool set_command(struct options *options, const char *text)
{
	const char *why;

	free(options->command);
	options->command = words_split(text, &why);
	return options->command || bad_argument("--exec", text, why);
}

static bool add_rule(struct options *options, const char *text)
{
	return rules_add(&options->rules, text, strlen(text), "rule", 0, true) == 0;
}

static bool set_option(struct options *options, int letter)
{
	switch (letter) {
	case 'r':
		return add_rule(options, optarg);
	case RULES:
		return rules_add_file(&options->rules, optarg) == 0;
	case 'i':
		return set_interval(options, optarg);
	case EXEC:
		return set_command(options, optarg);
	case EXEC_TIMEOUT:
		return set_timeout(options, optarg);
	case ONCE:
		options->once = true;
		return true;
	default:
		options->check = true;
		return true;
	}
}

static bool bad_option(int result, char **argv)
{
	if (result == ':')
		message("%s needs an argument; see astshm-alert --help", argv[optind - 1]);
	else if (optopt > 0 && optopt < ONLY_LONG)
		message("unknown option -%c; see astshm-alert --help", optopt);
	else
		message("unknown option %s, or it takes no argument; see astshm-alert --help",
			argv[optind - 1]);
	return false;
}

static bool check_together(const struct options *options, int argc)
{
	if (argc - optind > 1) {
		message("one SEGMENT at a time; see astshm-alert --help");
		return false;
	}
	if (options->segment && options->segment[0] == '\0') {
		message("the name of the segment is empty");
		return false;
	}
	if (options->once && options->command) {
		message("--exec is for watching: --once tells by its exit status");
		return false;
	}
	return true;
}

static bool print_and_end(int letter, int *status)
{
	if (letter == HELP)
		fputs(help, stdout);
	else
		printf("astshm-alert %s\n", ASTSHM_VERSION);
	*status = finish_stdout() == EXIT_OK ? PLUGIN_OK : PLUGIN_UNKNOWN;
	return false;
}

static bool parse_all(struct options *options, int argc, char **argv, int *status)
{
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":r:i:", longs, NULL)) != -1) {
		if (letter == '?' || letter == ':')
			return bad_option(letter, argv);
		if (letter == HELP || letter == VERSION)
			return print_and_end(letter, status);
		if (!set_option(options, letter))
			return false;
	}
	options->segment = argv[optind];
	return check_together(options, argc);
}

bool options_parse(struct options *options, int argc, char **argv, int *status)
{
	*options = (struct options){ .interval_ns = DEFAULT_INTERVAL_NS,
				     .timeout_ns = DEFAULT_TIMEOUT_NS };
	*status = PLUGIN_UNKNOWN;
	if (parse_all(options, argc, argv, status))
		return true;
	options_free(options);
	return false;
}

void options_free(struct options *options)
{
	free(options->command);
	rules_free(&options->rules);
}
