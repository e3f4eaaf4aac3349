/* SPDX-License-Identifier: MIT */
/* An ast-server of the bench's own, and OSC load for it over loopback. */
#ifndef BENCH_SERVER_PROCESS_H
#define BENCH_SERVER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <astshm/reader.h>

struct bench_server {
	pid_t pid;
	int log;    /* its stderr */
	int socket; /* connected to it */
	uint16_t port;
	bool metrics;
	int32_t sequence; /* number of the next event */
	char segment[64];
};

/* What it says at its end; the same words with metrics and without. */
struct bench_server_counts {
	uint64_t received, processed, queue_dropped, parse_errors, kernel_dropped;
};

/* Fails if it does not say within a minute that it is ready. */
void bench_server_start(struct bench_server *server, const char *path, bool metrics);
/* Sends `count` events, `rate` a second; 0: as fast as sendmmsg(2) goes. */
void bench_server_load(struct bench_server *server, uint64_t count, uint64_t rate);
/* Until it has nothing more to do; fails if it does not come to rest within a minute. */
void bench_server_settle(const struct bench_server *server);
/* CPU time of the process so far. */
uint64_t bench_server_cpu_ns(const struct bench_server *server);
/* Of its metrics, to be freed by the caller. */
struct astshm_snapshot *bench_server_snapshot(const struct bench_server *server);
/* Fails if it does not stop in good order. */
struct bench_server_counts bench_server_stop(struct bench_server *server);

#endif
