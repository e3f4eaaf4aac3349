/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "options.h"

#define EXIT_USAGE 2
#define TICK_MS 1000

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

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Housekeeping until a signal says stop. */
static void keep_house(struct ast_server *server, int signals)
{
	struct pollfd wait = { .fd = signals, .events = POLLIN };
	int64_t next_ms = now_ms();

	for (;;) {
		int64_t left_ms = next_ms - now_ms();
		int ready = poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0);
		if (ready > 0)
			return;
		if (ready == 0) {
			ast_server_tick(server);
			next_ms = now_ms() + TICK_MS;
		}
	}
}

static void announce(const struct ast_server *server, const struct options *options)
{
	char address[ADDRESS_TEXT_MAX];

	address_format(udp_bound(server->udp), address);
	if (!address_is_loopback(&options->server.udp))
		log_write(LOG_WARNING, "udp %s can be reached from other machines", address);
	log_notice("ready, udp %s, metrics %s", address, metrics_segment(&server->metrics));
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

static int serve(const struct options *options, int signals)
{
	struct ast_server *server;

	if (ast_server_create(&server, &options->server) < 0)
		return EXIT_FAILURE;
	int result = ast_server_start(server);
	if (result < 0) {
		log_write(LOG_ERROR, "no thread: %s", strerror(-result));
	} else {
		announce(server, options);
		keep_house(server, signals);
		ast_server_stop(server);
		print_statistics(server);
	}
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
