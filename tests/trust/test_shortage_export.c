/* SPDX-License-Identifier: MIT */
/*
 * astshm-export while memory is short: each allocation that it makes for a request
 * fails, once. The answer is the one that it gives with memory, or a status that says
 * that there is none; and the next one is as ever. What libmicrohttpd and zlib allocate
 * is not seen. Leaks are LeakSanitizer's to find.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "door.h"
#include "http.h"
#include "scene.h"
#include "shortage.h"
#include "signals.h"

#define ANSWER_BYTES (1u << 20)
#define PATIENCE_NS INT64_C(60000000000)

enum which { ONE, SEVERAL, SERVERS };

/* Of each exporter: a segment, and two by a pattern. */
static struct server {
	struct segments segments;
	struct door door;
	struct http *http;
} servers[SERVERS];

static struct astshm_writer *writers[SERVERS];
static const struct access_rules open_to_all;
static struct http_options options = {
	.connections = 8, .rate = 1000000, .hosts.any = true, .style = { .schema = 4 },
};

/* --- exporters ------------------------------------------------------------------------ */

static void record_all(struct astshm_writer *writer)
{
	const struct astshm_tag type = { "type", "/live/track/mute" };

	astshm_describe(writer, ASTSHM_KIND_COUNTER, "events", "items", "What came in.", NULL);
	astshm_increment(writer, "events", 40, ASTSHM_NO_TAGS);
	astshm_increment(writer, "events.by_type", 2, &type, 1);
	astshm_set(writer, "gauge", 1.5, &type, 1);
	for (int64_t ns = 1; ns < 2000000; ns *= 3)
		astshm_time(writer, "event.processing.duration", ns, ASTSHM_NO_TAGS);
	astshm_observe(writer, "sizes", 4096, &type, 1);
}

static struct astshm_writer *open_writer(const char *name)
{
	struct astshm_writer_options chosen = scene_options();

	chosen.max_bytes = 4 << 20;
	chosen.max_series = 64;
	chosen.max_threads = 8;
	chosen.history_ms = 1;
	struct astshm_writer *writer = scene_open(name, &chosen);
	for (int i = 0; i < 3; i++) {
		record_all(writer);
		nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
		assert_int_equal(astshm_writer_tick(writer, NULL), 0);
	}
	return writer;
}

static void start(struct server *server, char *argument)
{
	struct astshm_error error = { 0 };
	char address[64];

	snprintf(address, sizeof(address), "unix:/tmp/astshm-shortage-%d-%td", (int)getpid(),
		 server - servers);
	assert_int_equal(segments_init(&server->segments, &argument, 1, NULL, &error), 0);
	assert_int_equal(door_open(&server->door, address, false, &error), 0);
	assert_int_equal(http_start(&server->http, server->door.fd, &server->segments,
				    &open_to_all, &options), 0);
}

static int start_all(void **state)
{
	static char one[200], pattern[220];

	(void)state;
	writers[ONE] = open_writer("shortage-one");
	writers[SEVERAL] = open_writer("shortage-two");
	snprintf(one, sizeof(one), "%s", astshm_writer_path(writers[ONE]));
	snprintf(pattern, sizeof(pattern), "%s", scene_name("shortage-???"));
	start(&servers[ONE], one);
	start(&servers[SEVERAL], pattern);
	return 0;
}

static int stop_all(void **state)
{
	for (size_t i = 0; i < SERVERS; i++) {
		http_stop(&servers[i].http);
		servers[i].door.fd = -1; /* http_stop() has closed it */
		door_close(&servers[i].door);
		segments_fini(&servers[i].segments);
		astshm_writer_close(&writers[i]);
	}
	return scene_teardown(state);
}

/* --- requests ------------------------------------------------------------------------- */

struct reply {
	char bytes[ANSWER_BYTES];
	size_t size;
	unsigned status;
	const char *body;
	size_t body_bytes;
};

static int send_request(const struct server *server, const char *path, const char *headers)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[512];
	int count = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close"
			     "\r\n%s\r\n", path, headers);

	strcpy(address.sun_path, server->door.path);
	assert_return_code(connect(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	assert_int_equal(send(fd, text, (size_t)count, MSG_NOSIGNAL), count);
	return fd;
}

/* The server's turn, until it hangs up; the n-th allocation fails (0: none). */
static bool take_reply(const struct server *server, int fd, unsigned n, struct reply *reply)
{
	int64_t end_ns = monotonic_ns() + PATIENCE_NS;
	ssize_t count = -1;

	reply->size = 0;
	shortage_begin(n);
	while (count != 0) {
		http_run(server->http);
		count = recv(fd, reply->bytes + reply->size, ANSWER_BYTES - 1 - reply->size,
			     MSG_DONTWAIT);
		assert_true(count >= 0 || errno == EAGAIN || errno == ECONNRESET);
		if (count < 0 && errno == ECONNRESET)
			count = 0;
		reply->size += count > 0 ? (size_t)count : 0;
		assert_true(monotonic_ns() < end_ns);
	}
	return shortage_end();
}

static void read_reply(struct reply *reply)
{
	reply->bytes[reply->size] = '\0';
	reply->status = 0;
	reply->body = strstr(reply->bytes, "\r\n\r\n");
	if (!reply->body || sscanf(reply->bytes, "HTTP/1.1 %u", &reply->status) != 1)
		return;
	reply->body += 4;
	reply->body_bytes = reply->size - (size_t)(reply->body - reply->bytes);
}

/* True: an allocation failed. */
static bool ask(const struct server *server, const char *path, const char *headers, unsigned n,
		struct reply *reply)
{
	int fd = send_request(server, path, headers);
	bool failed = take_reply(server, fd, n, reply);

	close(fd);
	read_reply(reply);
	return failed;
}

/* --- what comes of them ---------------------------------------------------------------- */

#define PROTOBUF "Accept: application/vnd.google.protobuf; " \
	"proto=io.prometheus.client.MetricFamily; encoding=delimited\r\n"

static const struct step {
	enum which server;
	const char *path, *headers;
	bool binary; /* numbers are as long as they were */
} steps[] = {
	{ ONE, "/metrics", "", false },
	{ ONE, "/metrics", "Accept: application/openmetrics-text\r\n", false },
	{ ONE, "/metrics", PROTOBUF, true },
	{ ONE, "/metrics?window=60", "", false },
	{ ONE, "/snapshot.json?window=60&buckets=1&metric=e*", "", false },
	{ ONE, "/snapshot.msgpack", "", true },
	{ ONE, "/summary.json", "", false },
	{ ONE, "/history.json?buckets=1&metric=events", "", false },
	{ ONE, "/segments.json", "", false },
	{ ONE, "/healthz", "", false },
	{ ONE, "/", "", false },
	{ ONE, "/nothing", "", false },
	{ SEVERAL, "/metrics", "", false },
	{ SEVERAL, "/metrics", PROTOBUF, true },
	{ SEVERAL, "/snapshot.json?metric=events", "", false },
	{ SEVERAL, "/summary.json", "", false },
	{ SEVERAL, "/segments.json", "", false },
	{ SEVERAL, "/healthz", "", false },
};

/* Numbers differ from time to time, and by how many digits they have. */
static void blank_numbers(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		if (!strchr("0123456789.", *at))
			*to++ = *at;
		else if (to == text || to[-1] != '#')
			*to++ = '#';
	}
	*to = '\0';
}

static void expect_same(const struct step *step, struct reply *reply, const struct reply *expected)
{
	static char ours[ANSWER_BYTES], theirs[ANSWER_BYTES];

	assert_int_equal(reply->status, expected->status);
	if (step->binary) {
		assert_int_equal(reply->body_bytes, expected->body_bytes);
		return;
	}
	strcpy(ours, reply->body);
	strcpy(theirs, expected->body);
	blank_numbers(ours);
	blank_numbers(theirs);
	assert_string_equal(ours, theirs);
}

static unsigned sweep(const struct step *step)
{
	static struct reply expected, reply;
	const struct server *server = &servers[step->server];
	unsigned failures = 0;

	ask(server, step->path, step->headers, 0, &expected);
	assert_true(expected.status == 200 || expected.status == 404);
	assert_true(expected.body_bytes > 0);
	for (unsigned n = 1; ask(server, step->path, step->headers, n, &reply); n++) {
		failures++;
		if (reply.status == 500 || reply.status == 503 || reply.status == 0)
			ask(server, step->path, step->headers, 0, &reply);
		expect_same(step, &reply, &expected);
	}
	return failures;
}

static void each_allocation_of_an_answer_may_fail(void **state)
{
	unsigned all = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		unsigned failures = sweep(&steps[i]);

		printf("%s of %s: %u allocations failed\n", steps[i].path,
		       steps[i].server == ONE ? "one" : "several", failures);
		assert_true(failures > 0);
		all += failures;
	}
	assert_true(all > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_of_an_answer_may_fail),
	};
	return cmocka_run_group_tests(tests, start_all, stop_all);
}
