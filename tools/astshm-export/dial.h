/* SPDX-License-Identifier: MIT */
/*
 * A connection to one consumer, tried for until it is there: names are looked up
 * anew each time, all addresses of a name are tried, and between tries lie pauses
 * that double, with a part of chance, so that a consumer that comes back is not
 * run down by all its feeds at once. Nothing here waits.
 */
#ifndef EXPORT_DIAL_H
#define EXPORT_DIAL_H

#include <netdb.h>
#include <stdint.h>
#include <sys/un.h>

#define DIAL_PAUSE_MIN_NS ((int64_t)500000000)
#define DIAL_PAUSE_MAX_NS ((int64_t)60000000000)

enum dial_state { DIAL_PAUSED, DIAL_LOOKING_UP, DIAL_CONNECTING, DIAL_UP };

struct dial_lookup;

struct dial {
	const char *address;        /* HOST:PORT or unix:PATH */
	enum dial_state state;
	int64_t until_ns;           /* of the state, by monotonic_ns(); DIAL_UP: since when */
	int64_t pause_ns;           /* the next one is this at most, and half of it at least */
	int fd;                     /* while DIAL_CONNECTING; and when dial_run() gives 1 */
	struct dial_lookup *lookup; /* while DIAL_LOOKING_UP */
	struct addrinfo *found;     /* by getaddrinfo() */
	const struct addrinfo *at;  /* the address that is tried */
	struct addrinfo local;      /* of a Unix socket */
	struct sockaddr_un path;
	const char *why;            /* the last try failed */
};

/* `address` has to outlive it. */
void dial_init(struct dial *dial, const char *address);
/* May be called again. */
void dial_fini(struct dial *dial);

/*
 * To be called when `until_ns` has come, and when `fd` is ready to be written to.
 * 1: connected, and `fd` is the caller's; 0: goes on; -1: `why` it has failed for
 * now.
 */
int dial_run(struct dial *dial, int64_t now_ns);

/* When a connection will have lasted for as long as the pause that would follow it: from
 * then on it counts as one that works. */
int64_t dial_settled_ns(const struct dial *dial);

/* The connection has ended: a pause begins, the shortest if it had worked. */
void dial_again(struct dial *dial, int64_t now_ns);

#endif
