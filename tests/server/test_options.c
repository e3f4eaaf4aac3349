/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

#define ARGUMENTS_MAX 12

static char text[OPTIONS_TEXT_MAX];

/* Parses the arguments up to NULL. */
static enum options_outcome parse(struct options *options, const char *first, ...)
{
	static char copies[ARGUMENTS_MAX][300];
	char *argv[ARGUMENTS_MAX + 2] = { (char *)"ast-server" };
	int argc = 1;
	va_list rest;

	va_start(rest, first);
	for (const char *one = first; one; one = va_arg(rest, const char *)) {
		strcpy(copies[argc - 1], one);
		argv[argc] = copies[argc - 1];
		argc++;
	}
	va_end(rest);
	return options_parse(argc, argv, options, text);
}

static void expect_usage(const char *option, const char *argument)
{
	struct options options;

	if (parse(&options, option, argument, NULL) != OPTIONS_USAGE)
		fail_msg("%s %s is taken", option, argument ? argument : "");
	assert_string_not_equal(text, "");
}

/* The message says what it should have been. */
static void expect_wanted(const char *option, const char *argument, const char *words)
{
	expect_usage(option, argument);
	if (!strstr(text, argument) || !strstr(text, words))
		fail_msg("%s %s: '%s' does not say '%s'", option, argument, text, words);
}

static void without_arguments_the_defaults_hold(void **state)
{
	struct options options;
	struct sockaddr_in in;

	(void)state;
	assert_int_equal(parse(&options, NULL), OPTIONS_RUN);
	memcpy(&in, &options.server.udp.storage, sizeof in);
	assert_int_equal(in.sin_family, AF_INET);
	assert_int_equal(ntohs(in.sin_port), 9002);
	assert_int_equal(ntohl(in.sin_addr.s_addr), INADDR_LOOPBACK);
	assert_int_equal(options.server.queue_capacity, 1000);
	assert_int_equal(options.server.udp_buffer_bytes, 4194304);
	assert_string_equal(options.server.metrics.name, "ast-server");
	assert_int_equal(options.server.metrics.mode, 0);
	assert_null(options.server.metrics.group);
	assert_false(options.server.metrics.keep);
	assert_false(options.server.metrics.off);
	assert_false(options.server.metrics.history_off);
	assert_int_equal(options.server.metrics.history_ms, 0); /* the library's */
	assert_int_equal(options.log_level, LOG_INFO);
}

static void every_option_is_taken(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--udp=127.0.0.1:0", "--udp-buffer=65536", "--queue=5",
			       "--metrics=t", "--metrics-mode=0644", "--metrics-group=daemon",
			       "--metrics-keep", "--log-level=debug", "--allow-remote", NULL),
			 OPTIONS_RUN);
	assert_int_equal(options.udp.port, 0);
	assert_int_equal(options.server.udp_buffer_bytes, 65536);
	assert_int_equal(options.server.queue_capacity, 5);
	assert_string_equal(options.server.metrics.name, "t");
	assert_int_equal(options.server.metrics.mode, 0644);
	assert_string_equal(options.server.metrics.group, "daemon");
	assert_true(options.server.metrics.keep);
	assert_int_equal(options.log_level, LOG_DEBUG);
	assert_true(options.allow_remote);
	assert_int_equal(parse(&options, "--no-metrics", NULL), OPTIONS_RUN);
	assert_true(options.server.metrics.off);
}

static void help_and_version_win_over_what_follows(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--help", "--nonsense", NULL), OPTIONS_HELP);
	assert_int_equal(parse(&options, "--version", NULL), OPTIONS_VERSION);
}

static void ipv6_host_stands_in_brackets(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--udp", "[::1]:7000", NULL), OPTIONS_RUN);
	assert_string_equal(options.udp.name, "::1");
	assert_int_equal(options.udp.port, 7000);
	assert_int_equal(options.server.udp.storage.ss_family, AF_INET6);
	expect_usage("--udp", "::1:7000");
}

static void bad_addresses_are_refused(void **state)
{
	static const char *const bad[] = { "", "127.0.0.1", ":9002", "9002", "127.0.0.1:",
					   "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x",
					   "127.0.0.1: 1", "127.0.0.1:0x10", "[]:1",
					   "127.0.0.1:1:2" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect_usage("--udp", bad[i]);
}

static void bad_numbers_are_refused(void **state)
{
	static const char *const bad[] = { "", "0", "-1", "+1", " 1", "1k", "0x10", "1.5",
					   "99999999999999999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		expect_usage("--queue", bad[i]);
		expect_usage("--udp-buffer", bad[i]);
	}
	expect_usage("--queue", "1000001");
	expect_usage("--udp-buffer", "1073741825");
}

static void a_history_is_taken_apart(void **state)
{
	static const char *const bad[] = { "", "5", "x24", "5x0", "0x5", "5x24,", "5x24,5x60",
					   "5x24,60x60,", "5s", " 5x24", "5x-24", "5x 24", "5x24x1",
					   "99999x1", "0.5x10", "5.x10", ".x10", "5sx", "5dx10",
					   "5smx10", "5 sx10", "25hx10", "1mx2,60x3", "0x5x3",
					   "5x0x3" };
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--metrics-history=1x120,30x240", NULL), OPTIONS_RUN);
	assert_int_equal(options.server.metrics.history_ms, 1000);
	assert_int_equal(options.server.metrics.history_count, 120);
	assert_int_equal(options.server.metrics.coarse_ms, 30000);
	assert_int_equal(options.server.metrics.coarse_count, 240);
	assert_int_equal(parse(&options, "--metrics-history=2x3", NULL), OPTIONS_RUN);
	assert_int_equal(options.server.metrics.coarse_count, 0);
	assert_int_equal(parse(&options, "--metrics-history=2.5sx3,5mx4", NULL), OPTIONS_RUN);
	assert_int_equal(options.server.metrics.history_ms, 2500);
	assert_int_equal(options.server.metrics.history_count, 3);
	assert_int_equal(options.server.metrics.coarse_ms, 300000);
	assert_int_equal(options.server.metrics.coarse_count, 4);
	assert_int_equal(parse(&options, "--metrics-history=1.23456x3,24hx4", NULL), OPTIONS_RUN);
	assert_int_equal(options.server.metrics.history_ms, 1234);
	assert_int_equal(options.server.metrics.coarse_ms, 86400000);
	assert_int_equal(parse(&options, "--metrics-history=0", NULL), OPTIONS_RUN);
	assert_true(options.server.metrics.history_off);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect_usage("--metrics-history", bad[i]);
}

static void bad_modes_are_refused(void **state)
{
	static const char *const bad[] = { "", "0", "000", "8", "0648", "1777", "-1", "rw" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect_usage("--metrics-mode", bad[i]);
}

static void empty_texts_and_unknown_levels_are_refused(void **state)
{
	(void)state;
	expect_usage("--metrics", "");
	expect_usage("--metrics-group", "");
	expect_usage("--log-level", "loud");
	expect_usage("--log-level", "");
}

static void refusals_say_what_is_wanted(void **state)
{
	(void)state;
	expect_wanted("--metrics-history", "0.5x10", "SECONDSxCOUNT");
	expect_wanted("--metrics-history", "5x24,5x60", "more SECONDS");
	expect_wanted("--metrics-mode", "7777", "octal, 1 to 777");
	expect_wanted("--queue", "0", "1 to 1000000");
	expect_wanted("--ws-queue", "1k", "1 to 1000000");
	expect_wanted("--udp-buffer", "4M", "bytes");
	expect_wanted("--udp", "9002", "HOST:PORT");
	expect_wanted("--websocket", "h:99999", "65535");
	expect_wanted("--ws-clients", "many", "1 to 10000");
	expect_wanted("--ws-origin", "a.example", "SCHEME://HOST");
	expect_wanted("--cache", "-1", "0 to 1000000");
	expect_wanted("--reload-on-gap", "-1", "0 to 4294967295");
	expect_wanted("--metrics", "", "a name or a path");
	expect_wanted("--metrics-group", "", "a name or a number");
	expect_wanted("--log-level", "loud", "warning, info or debug");
	expect_wanted("--info", "", "FILE");
	expect_wanted("--ast", "", "FILE");
	expect_wanted("--diff", "", "FILE");
}

static void unknown_and_incomplete_options_are_refused(void **state)
{
	(void)state;
	expect_usage("--nonsense", NULL);
	expect_usage("-x", NULL);
	expect_usage("--udp", NULL);
	expect_usage("--no-metrics=1", NULL);
}

static void file_is_what_is_served(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--no-metrics", "set.als", "--reload-on-gap", "10",
			       "--no-watch", NULL), OPTIONS_RUN);
	assert_string_equal(options.housekeeping.file, "set.als");
	assert_int_equal(options.housekeeping.reload_on_gap, 10);
	assert_false(options.housekeeping.watch);
	assert_int_equal(parse(&options, "a.als", "b.als", NULL), OPTIONS_USAGE);
	assert_non_null(strstr(text, "b.als"));
	assert_int_equal(parse(&options, "--reload-on-gap=1", NULL), OPTIONS_USAGE);
	assert_non_null(strstr(text, "FILE"));
}

static void websocket_options_are_taken(void **state)
{
	struct options options;
	struct sockaddr_in in;

	(void)state;
	assert_int_equal(parse(&options, NULL), OPTIONS_RUN);
	memcpy(&in, &options.server.websocket.address.storage, sizeof in);
	assert_int_equal(ntohs(in.sin_port), 8765);
	assert_int_equal(ntohl(in.sin_addr.s_addr), INADDR_LOOPBACK);
	assert_int_equal(options.server.websocket.clients, 128);
	assert_int_equal(options.server.websocket.queue_messages, 1000);
	assert_false(options.server.control);
	assert_int_equal(options.server.cache_capacity, 256);
	assert_int_equal(parse(&options, "--websocket", "[::1]:7", "--ws-clients=3", "--ws-queue=4",
			       "--ws-origin=https://a.example", "--ws-origin=http://b.example:1",
			       "--control", "--cache=0", NULL), OPTIONS_RUN);
	assert_string_equal(options.websocket.name, "::1");
	assert_int_equal(options.server.websocket.clients, 3);
	assert_int_equal(options.server.websocket.queue_messages, 4);
	assert_int_equal(options.server.websocket.origin_count, 2);
	assert_string_equal(options.server.websocket.origins[1], "http://b.example:1");
	assert_true(options.server.control);
	assert_int_equal(options.server.cache_capacity, 0);
	expect_usage("--websocket", "0.0.0.0:1");
	expect_usage("--websocket", "nowhere");
	expect_usage("--ws-origin", "a.example");
	expect_usage("--ws-clients", "0");
	expect_usage("--cache", "-1");
}

static void file_options_print_and_serve_nothing(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--info", "a.als", NULL), OPTIONS_PRINT);
	assert_int_equal(options.print.what, PRINT_INFO);
	assert_string_equal(options.print.file, "a.als");
	assert_int_equal(parse(&options, "--ast=b.xml", "--log-level", "debug", NULL),
			 OPTIONS_PRINT);
	assert_int_equal(options.print.what, PRINT_AST);
	assert_string_equal(options.print.file, "b.xml");
	assert_int_equal(options.log_level, LOG_DEBUG);
	assert_int_equal(parse(&options, "--diff", "a.als", "b.als", NULL), OPTIONS_PRINT);
	assert_int_equal(options.print.what, PRINT_DIFF);
	assert_string_equal(options.print.file, "a.als");
	assert_string_equal(options.print.other, "b.als");
	/* No host is looked up to print a file. */
	assert_int_equal(parse(&options, "--udp", "host.invalid:1", "--info", "a.als", NULL),
			 OPTIONS_PRINT);
}

static void file_options_with_too_few_or_many_files_are_refused(void **state)
{
	struct options options;

	(void)state;
	expect_usage("--info", NULL);
	expect_usage("--info", "");
	expect_usage("--diff", "a.als");
	assert_int_equal(parse(&options, "--diff", "a", "b", "c", NULL), OPTIONS_USAGE);
	assert_int_equal(parse(&options, "--diff", "a", "", NULL), OPTIONS_USAGE);
	assert_int_equal(parse(&options, "--info", "a", "b", NULL), OPTIONS_USAGE);
	assert_int_equal(parse(&options, "--info", "a", "--ast", "a", NULL), OPTIONS_USAGE);
}

static void address_off_loopback_needs_allow_remote(void **state)
{
	struct options options;

	(void)state;
	expect_usage("--udp", "0.0.0.0:9002");
	assert_non_null(strstr(text, "--allow-remote"));
	expect_usage("--udp", "192.0.2.1:9002");
	expect_usage("--udp", "[::]:9002");
	assert_int_equal(parse(&options, "--udp", "0.0.0.0:9002", "--allow-remote", NULL),
			 OPTIONS_RUN);
	assert_int_equal(parse(&options, "--allow-remote", "--udp", "[::]:9002", NULL),
			 OPTIONS_RUN);
	assert_int_equal(parse(&options, "--udp", "127.1.2.3:9002", NULL), OPTIONS_RUN);
}

static void unknown_host_is_a_failure_and_no_misuse(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--udp", "host.invalid:9002", NULL), OPTIONS_FAILED);
	assert_non_null(strstr(text, "host.invalid"));
}

static void help_names_every_option(void **state)
{
	static const char *const names[] = {
		"--udp HOST:PORT", "--udp-buffer", "--allow-remote", "--queue", "--metrics NAME",
		"--metrics-mode", "--metrics-group", "--metrics-keep", "--no-metrics",
		"--log-level", "--info FILE", "--ast FILE", "--diff FILE OTHER", "--help",
		"--version",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_non_null(strstr(options_help, names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_arguments_the_defaults_hold),
		cmocka_unit_test(every_option_is_taken),
		cmocka_unit_test(help_and_version_win_over_what_follows),
		cmocka_unit_test(ipv6_host_stands_in_brackets),
		cmocka_unit_test(bad_addresses_are_refused),
		cmocka_unit_test(bad_numbers_are_refused),
		cmocka_unit_test(a_history_is_taken_apart),
		cmocka_unit_test(bad_modes_are_refused),
		cmocka_unit_test(empty_texts_and_unknown_levels_are_refused),
		cmocka_unit_test(refusals_say_what_is_wanted),
		cmocka_unit_test(unknown_and_incomplete_options_are_refused),
		cmocka_unit_test(file_is_what_is_served),
		cmocka_unit_test(websocket_options_are_taken),
		cmocka_unit_test(file_options_print_and_serve_nothing),
		cmocka_unit_test(file_options_with_too_few_or_many_files_are_refused),
		cmocka_unit_test(address_off_loopback_needs_allow_remote),
		cmocka_unit_test(unknown_host_is_a_failure_and_no_misuse),
		cmocka_unit_test(help_names_every_option),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
