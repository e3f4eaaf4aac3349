/* SPDX-License-Identifier: MIT */
#include "native.h"
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"

#define INTERVAL_DEFAULT_NS 10000000000
#define INTERVAL_MIN_NS 10000000
#define INTERVAL_MAX_NS (86400 * (int64_t)1000000000) /* a day; sums with times must fit */

enum { LISTEN = 256, ALLOW_REMOTE, ALLOW_HOST, TLS_CERTIFICATE, TLS_KEY, TOKEN_FILE, USER_FILE,
       CONNECTIONS, RATE, NATIVE_SCHEMA, CLASSIC, STREAM, STREAM_INTERVAL, HELP, VERSION };

static void print_help(void)
{
	printf("Usage: astshm-export [OPTIONS] [SEGMENT | PATTERN ...]\n"
	       "Serve the metrics of shared-memory segments over HTTP, or feed them to others.\n\n"
	       "SEGMENT is a name, a process id or a path; a PATTERN ('*', 'web-?') stands for\n"
	       "all segments of that name, also those that come later. Without any: the only\n"
	       "live segment.\n\n"
	       "      --listen ADDRESS         HOST:PORT, unix:PATH, or none [127.0.0.1:9464]\n"
	       "      --allow-remote           let ADDRESS be one that other machines reach\n"
	       "      --allow-host NAME        let clients call it so, beside localhost and\n"
	       "                               addresses; * for any name\n"
	       "      --tls-certificate FILE   serve HTTPS: certificate chain, PEM\n"
	       "      --tls-key FILE           its private key, PEM\n"
	       "      --token-file FILE        ask for one of these bearer tokens, one a line\n"
	       "      --user-file FILE         or for one of these NAME:PASSWORD, one a line\n"
	       "      --max-connections N      at a time; further ones wait [64]\n"
	       "      --max-rate N             requests a second; 429 for further ones [100]\n"
	       "      --native-schema N        resolution of native histograms, 0 to 6 [4]\n"
	       "      --classic                with buckets at fixed bounds beside native ones\n"
	       "      --stream TARGET          send msgpack snapshots to tcp:HOST:PORT,\n"
	       "                               unix:PATH, or - for stdout; with listen: in front\n"
	       "                               to who connects there, with fluentd: as events\n"
	       "      --stream-interval SECONDS  between them [10]\n"
	       "      --help                   print this and exit\n"
	       "      --version                print the version and exit\n\n"
	       "Exit status: 0 ended by a signal or by stdout's reader, 1 other error, 2 usage,\n"
	       "3 no segment is live.\n"
	       "See astshm-export(1).\n");
}

static const struct option longs[] = {
	{ "listen", required_argument, NULL, LISTEN },
	{ "allow-remote", no_argument, NULL, ALLOW_REMOTE },
	{ "allow-host", required_argument, NULL, ALLOW_HOST },
	{ "tls-certificate", required_argument, NULL, TLS_CERTIFICATE },
	{ "tls-key", required_argument, NULL, TLS_KEY },
	{ "token-file", required_argument, NULL, TOKEN_FILE },
	{ "user-file", required_argument, NULL, USER_FILE },
	{ "max-connections", required_argument, NULL, CONNECTIONS },
	{ "max-rate", required_argument, NULL, RATE },
	{ "native-schema", required_argument, NULL, NATIVE_SCHEMA },
	{ "classic", no_argument, NULL, CLASSIC },
	{ "stream", required_argument, NULL, STREAM },
	{ "stream-interval", required_argument, NULL, STREAM_INTERVAL },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ NULL, 0, NULL, 0 },
};

static const char *name_of(int letter)
{
	for (size_t i = 0; longs[i].name; i++) {
		if (longs[i].val == letter)
			return longs[i].name;
	}
	return "";
}

/* A whole number from `least` to `most`. */
static bool parse_number(int letter, const char *text, unsigned least, unsigned most,
			 unsigned *number)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value < least || value > most) {
		message("--%s '%s': is no whole number from %u to %u; see astshm-export --help",
			name_of(letter), text, least, most);
		return false;
	}
	*number = (unsigned)value;
	return true;
}

static bool add_stream(struct options *options, const char *text, enum exit_status *status)
{
	struct astshm_error error = { 0 };
	int result;

	if (options->stream_count == STREAMS_MAX) {
		message("--stream can be given %d times; see astshm-export --help", STREAMS_MAX);
		return false;
	}
	result = target_parse(&options->streams[options->stream_count], text, &error);
	if (result == 0) {
		options->stream_count++;
		return true;
	}
	message("%s; see astshm-export --help", error.text);
	*status = result == -EBADF ? EXIT_OTHER : EXIT_USAGE;
	return false;
}

static bool add_host(struct options *options, const char *text)
{
	if (!host_is_name(text))
		message("--allow-host '%s': is no name of a host without a port, nor *; see "
			"astshm-export --help", text);
	else if (!host_add(&options->http.hosts, text))
		message("--allow-host can be given %d times; see astshm-export --help",
			HOST_NAMES_MAX);
	else
		return true;
	return false;
}

static bool set_interval(struct options *options, const char *text)
{
	if (duration_parse(text, &options->stream_interval_ns) &&
	    options->stream_interval_ns >= INTERVAL_MIN_NS &&
	    options->stream_interval_ns <= INTERVAL_MAX_NS)
		return true;
	message("--stream-interval '%s': is no time from 0.01 s to 24h such as 2, 0.5, 60s or 5m; "
		"see astshm-export --help", text);
	return false;
}

static bool set(struct options *options, int letter, const char *text, enum exit_status *status)
{
	unsigned number;

	switch (letter) {
	case LISTEN:
		options->listen = strcmp(text, "none") == 0 ? NULL : text;
		return true;
	case STREAM:
		return add_stream(options, text, status);
	case STREAM_INTERVAL:
		return set_interval(options, text);
	case ALLOW_REMOTE:
		options->allow_remote = true;
		return true;
	case ALLOW_HOST:
		return add_host(options, text);
	case TLS_CERTIFICATE:
		options->tls_certificate = text;
		return true;
	case TLS_KEY:
		options->tls_key = text;
		return true;
	case TOKEN_FILE:
		options->token_file = text;
		return true;
	case USER_FILE:
		options->user_file = text;
		return true;
	case CONNECTIONS:
		return parse_number(letter, text, 1, 10000, &options->http.connections);
	case NATIVE_SCHEMA:
		if (!parse_number(letter, text, 0, NATIVE_SCHEMA_MAX, &number))
			return false;
		options->http.style.schema = (int)number;
		return true;
	case CLASSIC:
		options->http.style.classic = true;
		return true;
	default:
		return parse_number(letter, text, 1, 1000000, &options->http.rate);
	}
}

static bool bad_option(int result, char **argv)
{
	if (result == ':')
		message("--%s needs an argument; see astshm-export --help", name_of(optopt));
	else if (optopt >= LISTEN)
		message("--%s takes no argument; see astshm-export --help", name_of(optopt));
	else if (optopt)
		message("unknown option -%c; see astshm-export --help", optopt);
	else
		message("unknown or ambiguous option %s; see astshm-export --help",
			argv[optind - 1]);
	return false;
}

static bool parse_all(struct options *options, int argc, char **argv, bool *printed,
		      enum exit_status *status)
{
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (letter == '?' || letter == ':')
			return bad_option(letter, argv);
		if (letter == HELP || letter == VERSION) {
			if (letter == HELP)
				print_help();
			else
				printf("astshm-export %s\n", ASTSHM_VERSION);
			*printed = true;
			return true;
		}
		if (!set(options, letter, optarg, status))
			return false;
	}
	options->arguments = argv + optind;
	options->argument_count = (size_t)(argc - optind);
	return true;
}

/* NULL: each is given once. Who listens at the same address is found out by the kernel,
 * and port 0 is another one each time. */
static const char *given_twice(const struct options *options)
{
	for (size_t i = 1; i < options->stream_count; i++) {
		for (size_t n = 0; n < i; n++) {
			if (options->streams[i].role != TARGET_LISTEN &&
			    strcmp(options->streams[i].text, options->streams[n].text) == 0)
				return options->streams[i].text;
		}
	}
	return NULL;
}

/* Frames of two streams in one stdout would be nobody's, and figures of two feeds need
 * two names. */
static bool check_streams(const struct options *options)
{
	const char *twice = given_twice(options);

	if (twice)
		message("--stream %.120s can be given once; see astshm-export --help", twice);
	else if (options->stream_interval_ns != 0 && options->stream_count == 0)
		message("--stream-interval is of --stream, which is not given; see astshm-export "
			"--help");
	else if (!options->listen && options->stream_count == 0)
		message("--listen none leaves nothing to do without --stream; see astshm-export "
			"--help");
	else
		return true;
	return false;
}

static bool check_together(const struct options *options)
{
	if (!check_streams(options))
		return false;
	if (!options->tls_certificate != !options->tls_key) {
		message("--tls-certificate and --tls-key go together; see astshm-export --help");
		return false;
	}
	for (size_t i = 0; i < options->argument_count; i++) {
		if (options->arguments[i][0] == '\0') {
			message("the name of a segment is empty; see astshm-export --help");
			return false;
		}
	}
	return true;
}

bool options_parse(struct options *options, int argc, char **argv, enum exit_status *status)
{
	bool printed = false;

	*options = (struct options){
		.listen = "127.0.0.1:9464",
		.http = { .connections = 64, .rate = 100,
			  .style = { .schema = NATIVE_SCHEMA_DEFAULT } },
	};
	*status = EXIT_USAGE;
	if (!parse_all(options, argc, argv, &printed, status))
		return false;
	if (printed) {
		*status = finish_stdout();
		return false;
	}
	if (!check_together(options))
		return false;
	if (options->stream_interval_ns == 0)
		options->stream_interval_ns = INTERVAL_DEFAULT_NS;
	return true;
}
