/* SPDX-License-Identifier: MIT */
/*
 * A small server that is measured: whatever becomes of its metrics, it answers
 * its requests. And the processes of their own that it is tried in, where
 * /dev/shm is a file system that nobody else sees.
 */
#ifndef TESTS_TRUST_HOST_H
#define TESTS_TRUST_HOST_H

#include <astshm/writer.h>

#define HOST_REQUESTS 300u

/* A sanitizer's own memory fits under no RLIMIT_AS, and qemu-user's is not the program's. */
#ifdef TRUST_SANITIZED
#define HOST_CAN_LIMIT_ADDRESSES false
#else
#define HOST_CAN_LIMIT_ADDRESSES (!getenv("UNDER_QEMU_USER"))
#endif

struct host {
	struct astshm_writer *writer; /* NULL: it serves without metrics */
	struct astshm_error error;    /* why */
	struct astshm_counter requests;
	struct astshm_gauge depth;
	struct astshm_timing duration;
	struct astshm_distribution size;
	int code;                     /* of the open */
	uint64_t answered;
};

/* Opens and registers. Never fails: a host goes on without metrics. */
void host_start(struct host *host, const char *segment);
/* Answers `count` requests and records about each by handle and by name. */
void host_serve(struct host *host, unsigned count);
/* The requests that it counted, read by itself; -1 without metrics. */
int64_t host_counted(struct host *host);

/* Gives the calling process a /dev/shm of its own with these mount options.
 * False: it may not. */
bool host_isolate(const char *options);

/* For the processes of their own: 0, or 1 after saying where and why. */
#define HOST_MUST(condition)                                                       \
	do {                                                                       \
		if (!(condition)) {                                                \
			host_complain(__FILE__, __LINE__, #condition);             \
			return 1;                                                  \
		}                                                                  \
	} while (0)
void host_complain(const char *file, int line, const char *condition);

#endif
