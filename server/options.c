/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

const char options_help[] =
	"Usage: ast-server [OPTION]... [FILE]\n"
	"       ast-server --info FILE | --ast FILE | --diff FILE OTHER\n"
	"\n"
	"Serves a Live Set (.als or .xml): takes Ableton Live's events as OSC over UDP,\n"
	"applies them, tells WebSocket clients what changed, and records metrics into a\n"
	"shared-memory segment, which astshm-cat and its like read.\n"
	"\n"
	"  --no-watch             do not load FILE again when it changes\n"
	"  --reload-on-gap N      load it again once more than N events were lost\n"
	"  --cache N              tracks and scenes to remember by index, 0: none [256]\n"
	"\n"
	"  --udp HOST:PORT        listen for events there [127.0.0.1:9002]; port 0: any free one\n"
	"  --udp-buffer BYTES     receive buffer of the socket [4194304]\n"
	"  --queue N              events that may wait to be applied [1000]\n"
	"  --websocket HOST:PORT  listen for clients there [127.0.0.1:8765]\n"
	"  --no-websocket         serve no clients\n"
	"  --ws-clients N         clients at once [128]\n"
	"  --ws-queue N           messages that may wait for one client [1000]\n"
	"  --ws-origin ORIGIN     let web pages of ORIGIN connect, besides those of this\n"
	"                         machine; may be given several times\n"
	"  --control              let clients on this machine reset metrics and switch\n"
	"                         recording off and on\n"
	"  --allow-remote         let --udp and --websocket name addresses other than loopback\n"
	"\n"
	"  --metrics NAME         name or path of the metrics segment [ast-server]\n"
	"  --metrics-mode OCTAL   its permissions [0640]\n"
	"  --metrics-group GROUP  its group, a name or a number\n"
	"  --metrics-keep         leave the segment behind after a clean stop\n"
	"  --metrics-history S    what of the last minutes the segment keeps: seconds between\n"
	"                         snapshots and their number, of young and of older ones\n"
	"                         [5x24,60x60]; 0: nothing\n"
	"  --no-metrics           record nothing and make no segment\n"
	"  --log-level LEVEL      error, warning, info or debug [info]\n"
	"  --help, --version\n"
	"\n"
	"Of Live Sets, print as JSON instead of serving:\n"
	"  --info FILE            names and numbers of what is in it\n"
	"  --ast FILE             its tree\n"
	"  --diff FILE OTHER      what OTHER has changed\n"
	"\n"
	"Exit status: 0 printed, or stopped by SIGINT or SIGTERM; 1 failure; 2 usage.\n";

enum {
	OPT_UDP = 256,
	OPT_UDP_BUFFER,
	OPT_ALLOW_REMOTE,
	OPT_QUEUE,
	OPT_WEBSOCKET,
	OPT_NO_WEBSOCKET,
	OPT_WS_CLIENTS,
	OPT_WS_QUEUE,
	OPT_WS_ORIGIN,
	OPT_CONTROL,
	OPT_CACHE,
	OPT_NO_WATCH,
	OPT_RELOAD_ON_GAP,
	OPT_METRICS,
	OPT_METRICS_MODE,
	OPT_METRICS_GROUP,
	OPT_METRICS_KEEP,
	OPT_METRICS_HISTORY,
	OPT_NO_METRICS,
	OPT_LOG_LEVEL,
	OPT_INFO,
	OPT_AST,
	OPT_DIFF,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "udp", required_argument, NULL, OPT_UDP },
	{ "udp-buffer", required_argument, NULL, OPT_UDP_BUFFER },
	{ "allow-remote", no_argument, NULL, OPT_ALLOW_REMOTE },
	{ "queue", required_argument, NULL, OPT_QUEUE },
	{ "websocket", required_argument, NULL, OPT_WEBSOCKET },
	{ "no-websocket", no_argument, NULL, OPT_NO_WEBSOCKET },
	{ "ws-clients", required_argument, NULL, OPT_WS_CLIENTS },
	{ "ws-queue", required_argument, NULL, OPT_WS_QUEUE },
	{ "ws-origin", required_argument, NULL, OPT_WS_ORIGIN },
	{ "control", no_argument, NULL, OPT_CONTROL },
	{ "cache", required_argument, NULL, OPT_CACHE },
	{ "no-watch", no_argument, NULL, OPT_NO_WATCH },
	{ "reload-on-gap", required_argument, NULL, OPT_RELOAD_ON_GAP },
	{ "metrics", required_argument, NULL, OPT_METRICS },
	{ "metrics-mode", required_argument, NULL, OPT_METRICS_MODE },
	{ "metrics-group", required_argument, NULL, OPT_METRICS_GROUP },
	{ "metrics-keep", no_argument, NULL, OPT_METRICS_KEEP },
	{ "metrics-history", required_argument, NULL, OPT_METRICS_HISTORY },
	{ "no-metrics", no_argument, NULL, OPT_NO_METRICS },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "info", required_argument, NULL, OPT_INFO },
	{ "ast", required_argument, NULL, OPT_AST },
	{ "diff", required_argument, NULL, OPT_DIFF },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void set_defaults(struct options *options)
{
	*options = (struct options){
		.server = {
			.udp_buffer_bytes = OPTIONS_UDP_BUFFER_BYTES,
			.queue_capacity = OPTIONS_QUEUE,
			.websocket = { .clients = OPTIONS_CLIENTS,
				       .queue_messages = OPTIONS_CLIENT_QUEUE,
				       .origins = options->origins },
			.cache_capacity = CACHE_CAPACITY,
			.metrics = { .name = OPTIONS_METRICS_NAME },
		},
		.log_level = LOG_INFO,
		.housekeeping = { .watch = true, .reload_on_gap = GAP_OFF },
		.udp = { "127.0.0.1", OPTIONS_UDP_PORT },
		.websocket = { "127.0.0.1", OPTIONS_WEBSOCKET_PORT },
	};
}

#define DECIMALS "0123456789"

/* Digits of the base alone: no sign, no blanks, no prefix. */
static bool parse_number(const char *text, int base, uint64_t least, uint64_t most,
			 uint64_t *number)
{
	const char *digits = base == 8 ? "01234567" : DECIMALS;

	if (text[0] == '\0' || text[strspn(text, digits)] != '\0')
		return false;
	errno = 0;
	*number = strtoull(text, NULL, base);
	return errno == 0 && *number >= least && *number <= most;
}

/* HOST:PORT, where an IPv6 HOST stands in brackets. */
static bool parse_address(const char *text, struct options_host *host)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!colon || !parse_number(colon + 1, 10, 0, UINT16_MAX, &port))
		return false;
	size_t length = (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return false;
	}
	if (length == 0 || length >= sizeof host->name)
		return false;
	memcpy(host->name, text, length);
	host->name[length] = '\0';
	host->port = (uint16_t)port;
	return true;
}

static bool set_size(const char *text, uint64_t least, uint64_t most, size_t *size)
{
	uint64_t number;

	if (!parse_number(text, 10, least, most, &number))
		return false;
	*size = (size_t)number;
	return true;
}

/* 0 would mean the library's default: a mode nobody may open is refused. */
static bool set_mode(const char *text, mode_t *mode)
{
	uint64_t number;

	if (!parse_number(text, 8, 1, 0777, &number))
		return false;
	*mode = (mode_t)number;
	return true;
}

/* A few digits, which overflow nothing; *text moves behind them. */
static bool take_digits(const char **text, uint32_t *number)
{
	size_t length = strspn(*text, DECIMALS);

	*number = 0;
	if (length == 0 || length > 5)
		return false;
	for (; length > 0; length--)
		*number = *number * 10 + (uint32_t)(*(*text)++ - '0');
	return true;
}

/* What stands behind a number of seconds: "s", "m", "h", or nothing. */
static uint32_t take_unit(const char **text)
{
	static const char letters[] = "smh";
	static const uint32_t seconds[] = { 1, 60, 3600 };
	const char *letter = **text ? strchr(letters, **text) : NULL;

	if (!letter)
		return 1;
	(*text)++;
	return seconds[letter - letters];
}

/* "2", "2.5", "60s", "5m", "1h", as the tools take them; *text moves behind it. */
static bool take_seconds(const char **text, uint32_t *period_ms)
{
	uint32_t weight = 1000, whole;
	uint64_t ms;

	if (!take_digits(text, &whole))
		return false;
	ms = (uint64_t)whole * 1000;
	if (**text == '.' && strspn(++*text, DECIMALS) == 0)
		return false;
	for (; strspn(*text, DECIMALS) > 0; (*text)++)
		ms += (uint64_t)(**text - '0') * (weight /= 10);
	ms *= take_unit(text);
	*period_ms = (uint32_t)ms;
	return ms >= OPTIONS_HISTORY_LEAST_MS && ms <= OPTIONS_HISTORY_MOST_MS;
}

/* SECONDSxCOUNT; *text moves behind it. */
static bool take_series(const char **text, uint32_t *period_ms, uint32_t *count)
{
	if (!take_seconds(text, period_ms) || *(*text)++ != 'x')
		return false;
	return take_digits(text, count) && *count >= 1 && *count <= OPTIONS_HISTORY_MOST;
}

static bool set_history(const char *text, struct metrics_options *metrics)
{
	metrics->history_off = strcmp(text, "0") == 0;
	if (metrics->history_off)
		return true;
	metrics->coarse_count = 0;
	if (!take_series(&text, &metrics->history_ms, &metrics->history_count))
		return false;
	if (*text == ',' &&
	    (text++, !take_series(&text, &metrics->coarse_ms, &metrics->coarse_count) ||
	     metrics->coarse_ms <= metrics->history_ms))
		return false;
	return *text == '\0';
}

static bool set_text(const char *text, const char **target)
{
	*target = text;
	return text[0] != '\0';
}

/* One of them is enough: stdout holds one document. */
static bool set_print(enum print_what what, const char *file, struct print_options *print)
{
	if (print->what != PRINT_NOTHING)
		return false;
	print->what = what;
	return set_text(file, &print->file);
}

static bool add_origin(const char *text, struct options *options)
{
	struct websocket_options *websocket = &options->server.websocket;

	if (websocket->origin_count == OPTIONS_ORIGINS_MAX || !strstr(text, "://"))
		return false;
	options->origins[websocket->origin_count++] = text;
	return true;
}

/* The options that are words alone. */
static void take_flag(int option, struct options *options)
{
	struct server_options *server = &options->server;

	switch (option) {
	case OPT_ALLOW_REMOTE:
		options->allow_remote = true;
		break;
	case OPT_NO_WEBSOCKET:
		server->websocket_off = true;
		break;
	case OPT_CONTROL:
		server->control = true;
		break;
	case OPT_NO_WATCH:
		options->housekeeping.watch = false;
		break;
	case OPT_METRICS_KEEP:
		server->metrics.keep = true;
		break;
	case OPT_NO_METRICS:
		server->metrics.off = true;
		break;
	}
}

/* False: the option's argument is no good. */
static bool take_option(int option, const char *argument, struct options *options)
{
	struct server_options *server = &options->server;

	switch (option) {
	case OPT_UDP:
		return parse_address(argument, &options->udp);
	case OPT_UDP_BUFFER:
		return set_size(argument, 1, 1u << 30, &server->udp_buffer_bytes);
	case OPT_QUEUE:
		return set_size(argument, 1, 1000000, &server->queue_capacity);
	case OPT_WEBSOCKET:
		return parse_address(argument, &options->websocket);
	case OPT_WS_CLIENTS:
		return set_size(argument, 1, 10000, &server->websocket.clients);
	case OPT_WS_QUEUE:
		return set_size(argument, 1, 1000000, &server->websocket.queue_messages);
	case OPT_WS_ORIGIN:
		return add_origin(argument, options);
	case OPT_CACHE:
		return set_size(argument, 0, 1000000, &server->cache_capacity);
	case OPT_RELOAD_ON_GAP:
		return parse_number(argument, 10, 0, UINT32_MAX,
				    &options->housekeeping.reload_on_gap);
	case OPT_METRICS:
		return set_text(argument, &server->metrics.name);
	case OPT_METRICS_MODE:
		return set_mode(argument, &server->metrics.mode);
	case OPT_METRICS_GROUP:
		return set_text(argument, &server->metrics.group);
	case OPT_METRICS_HISTORY:
		return set_history(argument, &server->metrics);
	case OPT_LOG_LEVEL:
		return log_level_parse(argument, &options->log_level);
	case OPT_INFO:
		return set_print(PRINT_INFO, argument, &options->print);
	case OPT_AST:
		return set_print(PRINT_AST, argument, &options->print);
	case OPT_DIFF:
		return set_print(PRINT_DIFF, argument, &options->print);
	default:
		take_flag(option, options);
		return true;
	}
}

static enum options_outcome complain(char text[OPTIONS_TEXT_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static enum options_outcome complain(char text[OPTIONS_TEXT_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, OPTIONS_TEXT_MAX, format, arguments);
	va_end(arguments);
	return OPTIONS_USAGE;
}

/* What the argument of an option has to be. */
static const char *wanted(int option)
{
	static const struct {
		int option;
		const char *text;
	} all[] = {
		{ OPT_UDP, "HOST:PORT, an IPv6 HOST in brackets; PORT at most 65535" },
		{ OPT_WEBSOCKET, "HOST:PORT, an IPv6 HOST in brackets; PORT at most 65535" },
		{ OPT_UDP_BUFFER, "bytes, 1 to 1073741824" },
		{ OPT_QUEUE, "a number, 1 to 1000000" },
		{ OPT_WS_QUEUE, "a number, 1 to 1000000" },
		{ OPT_WS_CLIENTS, "a number, 1 to 10000" },
		{ OPT_WS_ORIGIN, "SCHEME://HOST, with :PORT if need be; at most 16 times" },
		{ OPT_CACHE, "a number, 0 to 1000000" },
		{ OPT_RELOAD_ON_GAP, "a number, 0 to 4294967295" },
		{ OPT_METRICS, "a name or a path" },
		{ OPT_METRICS_MODE, "permissions in octal, 1 to 777" },
		{ OPT_METRICS_GROUP, "a name or a number" },
		{ OPT_METRICS_HISTORY, "SECONDSxCOUNT, perhaps a comma and another one with more "
				       "SECONDS; 1 to 86400, or as 90s, 5m, 1h; COUNT 1 to 10000; "
				       "or 0" },
		{ OPT_LOG_LEVEL, "error, warning, info or debug" },
		{ OPT_INFO, "a FILE, and only one of --info, --ast and --diff" },
		{ OPT_AST, "a FILE, and only one of --info, --ast and --diff" },
		{ OPT_DIFF, "two FILEs, and only one of --info, --ast and --diff" },
	};
	const char *text = "";

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		text = all[i].option == option ? all[i].text : text;
	return text;
}

static const char *option_name(int option)
{
	for (const struct option *one = long_options; one->name; one++) {
		if (one->val == option)
			return one->name;
	}
	return "?";
}

/* What getopt_long stumbled over: a short option is in optopt, a long one in argv. */
static enum options_outcome complain_unknown(char text[OPTIONS_TEXT_MAX], char **argv)
{
	if (optopt > 0 && optopt < OPT_UDP)
		return complain(text, "unknown option '-%c'", optopt);
	return complain(text, "unknown or misused option '%.200s'", argv[optind - 1]);
}

/* What stands behind the options: the Live Set to serve, or --diff's second file. */
static enum options_outcome take_files(char **files, struct options *options,
				       char text[OPTIONS_TEXT_MAX])
{
	enum print_what what = options->print.what;

	if (what == PRINT_DIFF) {
		if (!files[0] || files[0][0] == '\0')
			return complain(text, "--diff needs two files");
		options->print.other = *files++;
	} else if (files[0] && what == PRINT_NOTHING) {
		options->housekeeping.file = *files++;
	}
	if (files[0])
		return complain(text, "'%.200s': one file too many", files[0]);
	if (options->housekeeping.reload_on_gap != GAP_OFF &&
	    !options->housekeeping.file)
		return complain(text, "--reload-on-gap needs a FILE to load");
	return what == PRINT_NOTHING ? OPTIONS_RUN : OPTIONS_PRINT;
}

static enum options_outcome parse_all(int argc, char **argv, struct options *options,
				      char text[OPTIONS_TEXT_MAX])
{
	int option;

	optind = 0; /* glibc: start over, also when called again */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (option == OPT_HELP)
			return OPTIONS_HELP;
		if (option == OPT_VERSION)
			return OPTIONS_VERSION;
		if (option == '?')
			return complain_unknown(text, argv);
		if (option == ':')
			return complain(text, "option '%.200s' needs an argument",
					argv[optind - 1]);
		if (!take_option(option, optarg, options))
			return complain(text, "bad argument of --%s: '%.80s'; it takes %s",
					option_name(option), optarg, wanted(option));
	}
	return take_files(argv + optind, options, text);
}

static enum options_outcome resolve(const struct options_host *host, bool allow_remote,
				    struct address *address, char text[OPTIONS_TEXT_MAX])
{
	int result = address_resolve(host->name, host->port, address);

	if (result != 0) {
		snprintf(text, OPTIONS_TEXT_MAX, "%.200s: %s", host->name, gai_strerror(result));
		return OPTIONS_FAILED;
	}
	if (!address_is_loopback(address) && !allow_remote)
		return complain(text, "%.200s is no loopback address: that needs --allow-remote",
				host->name);
	return OPTIONS_RUN;
}

static enum options_outcome resolve_all(struct options *options, char text[OPTIONS_TEXT_MAX])
{
	struct server_options *server = &options->server;
	enum options_outcome outcome = resolve(&options->udp, options->allow_remote, &server->udp,
					       text);

	if (outcome == OPTIONS_RUN && !server->websocket_off)
		outcome = resolve(&options->websocket, options->allow_remote,
				  &server->websocket.address, text);
	return outcome;
}

enum options_outcome options_parse(int argc, char **argv, struct options *options,
				   char text[OPTIONS_TEXT_MAX])
{
	set_defaults(options);
	text[0] = '\0';
	enum options_outcome outcome = parse_all(argc, argv, options, text);

	return outcome == OPTIONS_RUN ? resolve_all(options, text) : outcome;
}
