/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "options.h"

#define EXIT_USAGE 2

/* Blocks the stopping signals in this and every later thread; -1 on failure. */
static int open_signals(void)
{
	sigset_t stopping;

	signal(SIGPIPE, SIG_IGN); /* stderr may be a pipe that closed */
	sigemptyset(&stopping);
	sigaddset(&stopping, SIGINT);
	sigaddset(&stopping, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &stopping, NULL) < 0)
		return -1;
	return signalfd(-1, &stopping, SFD_CLOEXEC);
}

static void warn_of_remote(const char *what, const struct address *address, const char *text)
{
	if (!address_is_loopback(address))
		log_write(LOG_WARNING, "%s %s can be reached from other machines", what, text);
}

static void announce(const struct ast_server *server)
{
	char udp[ADDRESS_TEXT_MAX], websocket[ADDRESS_TEXT_MAX] = "off";

	address_format(udp_bound(server->udp), udp);
	warn_of_remote("udp", udp_bound(server->udp), udp);
	if (server->websocket) {
		address_format(websocket_bound(server->websocket), websocket);
		warn_of_remote("websocket", websocket_bound(server->websocket), websocket);
	}
	log_notice("ready, udp %s, websocket %s, metrics %s", udp, websocket,
		   metrics_segment(&server->metrics));
}

static void print_statistics(const struct ast_server *server)
{
	const struct intake_statistics *s = ast_server_statistics(server);

	log_notice("stopped, packets received %llu, processed %llu, dropped %llu, "
		   "parse errors %llu, duplicates %llu, gaps %llu, missing %llu, late %llu, "
		   "dropped by kernel %llu",
		   (unsigned long long)s->received, (unsigned long long)s->processed,
		   (unsigned long long)s->dropped, (unsigned long long)s->parse_errors,
		   (unsigned long long)s->duplicates, (unsigned long long)s->gaps,
		   (unsigned long long)s->lost, (unsigned long long)s->late,
		   (unsigned long long)s->kernel_dropped);
}

static void print_summary(struct ast_server *server)
{
	struct json_out out;

	json_out_init(&out, 0);
	if (get_metrics_summary(server, 0, &out) == 0)
		log_notice("final summary %.*s", (int)out.length, out.text);
	json_out_fini(&out);
}

static void stop(struct ast_server *server)
{
	ast_server_stop(server);
	print_statistics(server);
	print_summary(server);
}

/* From the first event to the last. A signal may come before the file is loaded. */
static int serve_started(struct ast_server *server, const struct options *options, int signals)
{
	struct housekeeping *housekeeping;
	int result = housekeeping_begin(&housekeeping, server, &options->housekeeping, signals);

	if (result < 0 && result != -ECANCELED)
		return result;
	if (result == 0) {
		announce(server);
		housekeeping_run(housekeeping);
		housekeeping_end(&housekeeping);
	}
	stop(server);
	return 0;
}

static int serve(const struct options *options, int signals)
{
	struct ast_server *server;

	if (ast_server_create(&server, &options->server) < 0)
		return EXIT_FAILURE;
	int result = ast_server_start(server);
	if (result < 0)
		log_write(LOG_ERROR, "no thread: %s", strerror(-result));
	else
		result = serve_started(server, options, signals);
	ast_server_destroy(&server);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const struct options *options)
{
	log_set_level(options->log_level);
	int signals = open_signals();
	if (signals < 0) {
		log_write(LOG_ERROR, "signals: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	int status = serve(options, signals);
	close(signals);
	return status;
}

static int print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;
	char text[OPTIONS_TEXT_MAX];

	switch (options_parse(argc, argv, &options, text)) {
	case OPTIONS_HELP:
		return print(options_help);
	case OPTIONS_VERSION:
		return print("ast-server " ASTSHM_VERSION "\n");
	case OPTIONS_USAGE:
		log_write(LOG_ERROR, "%s", text);
		fputs("Try 'ast-server --help'.\n", stderr);
		return EXIT_USAGE;
	case OPTIONS_FAILED:
		log_write(LOG_ERROR, "%s", text);
		return EXIT_FAILURE;
	case OPTIONS_PRINT:
		log_set_level(options.log_level);
		return print_files(&options.print);
	case OPTIONS_RUN:
		break;
	}
	return run(&options);
}
