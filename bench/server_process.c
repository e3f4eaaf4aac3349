/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "live_set.h"
#include "osc_load.h"
#include "server_process.h"

#define BATCH 32u
#define PATIENCE_NS UINT64_C(60000000000)
#define STILL_NS 30000000u /* without a change of its CPU time */

static pid_t running; /* for exit, however the bench ends */

static void kill_running(void)
{
	if (running > 0)
		kill(running, SIGKILL);
}

static void sleep_ns(uint64_t ns)
{
	struct timespec pause = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&pause, NULL);
}

/* Its log so far, NUL-terminated. */
static void read_log(const struct bench_server *server, char *text, size_t size)
{
	ssize_t length = pread(server->log, text, size - 1, 0);

	text[length > 0 ? length : 0] = '\0';
}

static void run_program(const struct bench_server *server, const char *path)
{
	const char *set = bench_live_set();
	const char *with[] = { path, "--udp", "127.0.0.1:0", "--websocket", "127.0.0.1:0",
			       "--metrics", server->segment, set, NULL };
	const char *without[] = { path, "--udp", "127.0.0.1:0", "--websocket", "127.0.0.1:0",
				  "--no-metrics", set, NULL };

	dup2(server->log, STDERR_FILENO);
	execv(path, (char **)(uintptr_t)(server->metrics ? with : without));
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

/* The port behind "ready, udp 127.0.0.1:" in its log. */
static uint16_t wait_for_port(const struct bench_server *server)
{
	static const char ready[] = "ready, udp 127.0.0.1:";
	uint64_t start = bench_wall_ns();
	char text[4096];

	do {
		read_log(server, text, sizeof text);
		const char *found = strstr(text, ready);
		if (found && strchr(found, '\n'))
			return (uint16_t)strtoul(found + strlen(ready), NULL, 10);
		sleep_ns(2000000);
	} while (bench_wall_ns() - start < PATIENCE_NS && waitpid(server->pid, NULL, WNOHANG) == 0);
	bench_fail("ast-server is not ready: %s", text);
}

void bench_server_start(struct bench_server *server, const char *path, bool metrics)
{
	static bool registered;

	*server = (struct bench_server){ .metrics = metrics };
	bench_live_set(); /* here, not in the child, whose exit would not remove it */
	snprintf(server->segment, sizeof server->segment, "bench.%d.server", (int)getpid());
	server->log = memfd_create("log", 0);
	if (server->log < 0)
		bench_fail("memfd_create: %s", strerror(errno));
	server->pid = fork();
	if (server->pid < 0)
		bench_fail("fork: %s", strerror(errno));
	if (server->pid == 0)
		run_program(server, path);
	running = server->pid;
	if (!registered)
		atexit(kill_running);
	registered = true;
	server->port = wait_for_port(server);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(server->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	server->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(server->socket, (struct sockaddr *)&address, sizeof address) != 0)
		bench_fail("connect: %s", strerror(errno));
}

static void send_batch(struct bench_server *server, unsigned count)
{
	uint8_t datagrams[BATCH][BENCH_OSC_BYTES];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH] = { 0 };

	for (unsigned i = 0; i < count; i++) {
		parts[i].iov_base = datagrams[i];
		parts[i].iov_len = bench_osc_event(datagrams[i], server->sequence++);
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned sent = 0; sent < count;) {
		int more = sendmmsg(server->socket, messages + sent, count - sent, 0);
		if (more < 0)
			bench_fail("sendmmsg: %s", strerror(errno));
		sent += (unsigned)more;
	}
}

void bench_server_load(struct bench_server *server, uint64_t count, uint64_t rate)
{
	uint64_t start = bench_wall_ns(), sent = 0;

	while (sent < count) {
		unsigned batch = (unsigned)(count - sent < BATCH ? count - sent : BATCH);
		uint64_t due_ns = rate > 0 ? sent * 1000000000u / rate : 0;
		uint64_t now_ns = bench_wall_ns() - start;
		if (due_ns > now_ns)
			sleep_ns(due_ns - now_ns);
		send_batch(server, batch);
		sent += batch;
	}
}

uint64_t bench_server_cpu_ns(const struct bench_server *server)
{
	struct timespec used;
	clockid_t id;

	if (clock_getcpuclockid(server->pid, &id) != 0 || clock_gettime(id, &used) != 0)
		bench_fail("CPU time of ast-server");
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* The hexadecimal number behind the next colon of the text, which *at moves behind. */
static unsigned long next_behind_colon(const char **at)
{
	const char *colon = strchr(*at, ':');
	char *end = NULL;

	if (!colon)
		return 0;
	unsigned long number = strtoul(colon + 1, &end, 16);
	*at = end;
	return number;
}

/* A line of the kernel's: "N: ADDRESS:PORT ADDRESS:PORT STATE UNSENT:UNREAD ...", bytes. */
static bool is_unread(const char *line, uint16_t port)
{
	next_behind_colon(&line);
	if (next_behind_colon(&line) != port)
		return false;
	next_behind_colon(&line);
	return next_behind_colon(&line) > 0;
}

static bool has_unread(const struct bench_server *server)
{
	FILE *list = fopen("/proc/net/udp", "re");
	bool unread = false;
	char line[512];

	if (!list)
		bench_fail("/proc/net/udp: %s", strerror(errno));
	while (fgets(line, sizeof line, list))
		unread = unread || is_unread(line, server->port);
	fclose(list);
	return unread;
}

/* Its state stands behind the name, which is in parentheses. */
static bool thread_sleeps(const char *path)
{
	char text[512];
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;

	if (file)
		fclose(file);
	text[length] = '\0';
	const char *name_end = strrchr(text, ')');
	return name_end && strncmp(name_end, ") S", 3) == 0;
}

/* One that waits for a processor does not. */
static bool all_threads_sleep(const struct bench_server *server)
{
	char pattern[64];
	glob_t tasks;
	bool sleep = true;

	snprintf(pattern, sizeof pattern, "/proc/%d/task/*/stat", (int)server->pid);
	if (glob(pattern, 0, NULL, &tasks) != 0)
		bench_fail("%s: no threads", pattern);
	for (size_t i = 0; i < tasks.gl_pathc && sleep; i++)
		sleep = thread_sleeps(tasks.gl_pathv[i]);
	globfree(&tasks);
	return sleep;
}

/*
 * It sleeps when idle. The threads are looked at one after the other: so that none has
 * woken another meanwhile, none may run until all were seen. The tick of once a second may
 * lengthen the wait by one look.
 */
void bench_server_settle(const struct bench_server *server)
{
	uint64_t start = bench_wall_ns(), before;
	bool idle;

	do {
		if (bench_wall_ns() - start > PATIENCE_NS)
			bench_fail("ast-server does not come to rest");
		before = bench_server_cpu_ns(server);
		sleep_ns(STILL_NS);
		idle = !has_unread(server) && all_threads_sleep(server);
	} while (!idle || bench_server_cpu_ns(server) != before);
}

struct astshm_snapshot *bench_server_snapshot(const struct bench_server *server)
{
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	struct astshm_reader *reader;
	struct astshm_snapshot *snapshot;
	struct astshm_error error;

	options.deadline_ns = (int64_t)PATIENCE_NS;
	if (astshm_reader_open(&reader, server->segment, &options, &error) != 0 ||
	    astshm_reader_snapshot(reader, 0, &snapshot, &error) != 0)
		bench_fail("%s: %s", server->segment, error.text);
	astshm_reader_close(&reader);
	return snapshot;
}

/* The number behind `word` in the last line. */
static uint64_t statistic(const char *text, const char *word)
{
	const char *found = strstr(text, word);

	if (!found)
		bench_fail("ast-server's last words lack \"%s\": %s", word, text);
	return strtoull(found + strlen(word), NULL, 10);
}

struct bench_server_counts bench_server_stop(struct bench_server *server)
{
	struct bench_server_counts counts;
	char text[1 << 16];
	int status;

	kill(server->pid, SIGTERM);
	if (waitpid(server->pid, &status, 0) != server->pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		bench_fail("ast-server did not stop in good order");
	running = 0;
	read_log(server, text, sizeof text);
	const char *last = strstr(text, "stopped, ");
	if (!last)
		bench_fail("ast-server's log is too long or lacks its end");
	counts.received = statistic(last, "packets received ");
	counts.processed = statistic(last, "processed ");
	counts.queue_dropped = statistic(last, ", dropped ");
	counts.parse_errors = statistic(last, "parse errors ");
	counts.kernel_dropped = statistic(last, "dropped by kernel ");
	close(server->socket);
	close(server->log);
	return counts;
}
