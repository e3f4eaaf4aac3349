/* SPDX-License-Identifier: MIT */
/*
 * astshm-export: serves the metrics of this machine's segments over HTTP, and
 * feeds them to others.
 */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "door.h"
#include "feeds.h"
#include "http.h"
#include "options.h"
#include "secret.h"
#include "segment.h"
#include "segments.h"
#include "signals.h"

struct exporter {
	struct options options;
	struct segments segments;
	struct access_rules access;
	struct door door;
	char listen_host[DOOR_HOST_BYTES];
	struct http *http;
	struct feeds *feeds;
	char *certificate, *key;
};

static enum exit_status report(int result, const struct astshm_error *error)
{
	message("%s", error->text[0] ? error->text : strerror(-result));
	return result == -EINVAL || result == -EEXIST || result == -EPERM ? EXIT_USAGE : EXIT_OTHER;
}

static enum exit_status find_segments(struct exporter *exporter)
{
	struct options *options = &exporter->options;
	struct astshm_error error = { 0 };
	char *only = NULL;
	int result = 0;

	if (options->argument_count == 0)
		result = segment_find_only(&only, &error);
	if (result == -ENOENT) {
		message("no segment is live; a name or a pattern is served also if it comes later");
		return EXIT_NO_SEGMENT;
	}
	if (result == -ENOTUNIQ)
		return segment_report_choice();
	if (result == 0)
		result = segments_init(&exporter->segments, options->arguments,
				       options->argument_count, only, &error);
	free(only);
	return result < 0 ? report(result, &error) : EXIT_OK;
}

static int load_secrets(struct exporter *exporter, struct astshm_error *error)
{
	struct options *options = &exporter->options;
	int result = access_load(&exporter->access, options->token_file, options->user_file, error);

	if (result == 0 && options->tls_certificate)
		result = secret_load(options->tls_certificate, false, &exporter->certificate,
				     error);
	if (result == 0 && options->tls_key)
		result = secret_load(options->tls_key, true, &exporter->key, error);
	options->http.tls_certificate = exporter->certificate;
	options->http.tls_key = exporter->key;
	return result;
}

static enum exit_status start_feeds(struct exporter *exporter)
{
	struct options *options = &exporter->options;
	struct astshm_error error = { 0 };
	int result = 0;

	if (options->stream_count > 0)
		result = feeds_start(&exporter->feeds, options->streams, options->stream_count,
				     options->stream_interval_ns, options->allow_remote,
				     &exporter->segments, &error);
	options->http.feeds = exporter->feeds;
	return result < 0 ? report(result, &error) : EXIT_OK;
}

/*
 * A stranger's page in a browser here can neither connect to a Unix socket, nor name the
 * secret that is asked for, nor show a certificate for its own name.
 */
static bool is_safe_from_names(const struct exporter *exporter)
{
	return exporter->door.path || exporter->options.tls_certificate ||
	       access_is_limited(&exporter->access);
}

/* Who listens at a name is called by it. */
static void choose_hosts(struct exporter *exporter)
{
	struct host_rules *hosts = &exporter->options.http.hosts;
	const char *port;

	if (is_safe_from_names(exporter))
		hosts->any = true;
	else if (door_split(exporter->options.listen, exporter->listen_host, &port) &&
		 host_is_name(exporter->listen_host))
		host_add(hosts, exporter->listen_host);
}

static enum exit_status start_http(struct exporter *exporter)
{
	struct options *options = &exporter->options;
	struct astshm_error error = { 0 };
	int result = load_secrets(exporter, &error);

	if (result == 0)
		result = door_open(&exporter->door, options->listen, options->allow_remote, &error);
	if (result < 0)
		return report(result, &error);
	choose_hosts(exporter);
	result = http_start(&exporter->http, exporter->door.fd, &exporter->segments,
			    &exporter->access, &options->http);
	if (result < 0) {
		message("cannot start the server: %s",
			result == -EINVAL ? "certificate and key are not two PEM files that belong "
					    "together" : strerror(-result));
		return EXIT_OTHER;
	}
	exporter->door.fd = -1; /* http_stop() closes it */
	message("serving %s%s", exporter->door.path        ? "on "
				: options->tls_certificate ? "https://"
							   : "http://",
		exporter->door.text);
	if (options->allow_remote && !access_is_limited(&exporter->access))
		message("other machines can read everything: neither --token-file nor --user-file");
	return EXIT_OK;
}

/* -1: there is no end to wait for. */
static int64_t sooner(int64_t a_ns, int64_t b_ns)
{
	return a_ns < 0 ? b_ns : b_ns < 0 || a_ns < b_ns ? a_ns : b_ns;
}

static int64_t timeout_ns(const struct exporter *exporter)
{
	return sooner(exporter->http ? http_timeout_ns(exporter->http) : -1,
		      exporter->feeds ? feeds_timeout_ns(exporter->feeds) : -1);
}

static enum exit_status serve(struct exporter *exporter)
{
	struct pollfd polled[] = {
		{ .fd = exporter->http ? http_fd(exporter->http) : -1, .events = POLLIN },
		{ .fd = exporter->feeds ? feeds_fd(exporter->feeds) : -1, .events = POLLIN },
	};
	enum feed_end end = FEED_GOES_ON;

	while (end == FEED_GOES_ON && signals_poll(polled, 2, timeout_ns(exporter))) {
		if (exporter->http)
			http_run(exporter->http);
		if (exporter->feeds)
			end = feeds_run(exporter->feeds);
	}
	return end == FEED_FAILED ? EXIT_OTHER : EXIT_OK;
}

static void stop(struct exporter *exporter)
{
	http_stop(&exporter->http);
	feeds_stop(&exporter->feeds);
	door_close(&exporter->door);
	segments_fini(&exporter->segments);
	access_free(&exporter->access);
	secret_free(&exporter->certificate);
	secret_free(&exporter->key);
}

/*
 * Each answer needs what the one before gave back. glibc would return large pieces
 * to the kernel in between, and their pages one by one cost more than all that is
 * written to them.
 */
static void keep_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 32 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
#endif
}

int main(int argc, char **argv)
{
	struct exporter exporter = { .door = { .fd = -1 } };
	enum exit_status status;

	message_program("astshm-export");
	/* Patterns count characters, whatever the environment says; numbers
	 * keep to the C locale. */
	setlocale(LC_CTYPE, "C.UTF-8");
	signals_install();
	keep_memory();
	if (!options_parse(&exporter.options, argc, argv, &status))
		return status;
	status = find_segments(&exporter);
	if (status == EXIT_OK)
		status = start_feeds(&exporter);
	if (status == EXIT_OK && exporter.options.listen)
		status = start_http(&exporter);
	if (status == EXIT_OK)
		status = serve(&exporter);
	stop(&exporter);
	return status;
}
