/* SPDX-License-Identifier: MIT */
#include "dial.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "door.h"

#define CONNECT_NS ((int64_t)10000000000)
#define LOOK_NS ((int64_t)50000000)
#define UNANSWERED_MS 60000 /* bytes that get no answer, or no room, end a connection */

/* Apart, because a lookup cannot be called off and may outlive the dial. */
struct dial_lookup {
	struct gaicb request;
	struct addrinfo hints;
	char host[DOOR_HOST_BYTES];
	const char *port;
};

void dial_init(struct dial *dial, const char *address)
{
	*dial = (struct dial){
		.address = address, .fd = -1, .pause_ns = DIAL_PAUSE_MIN_NS,
		.path = { .sun_family = AF_UNIX },
	};
	if (strncmp(address, "unix:", 5) != 0)
		return;
	strncpy(dial->path.sun_path, address + 5, sizeof(dial->path.sun_path) - 1);
	dial->local = (struct addrinfo){
		.ai_family = AF_UNIX, .ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)&dial->path, .ai_addrlen = sizeof(dial->path),
	};
}

/* --- pauses -------------------------------------------------------------------- */

/* From half of it on. */
static int64_t by_chance(int64_t pause_ns)
{
	uint32_t chance = 0;

	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != (ssize_t)sizeof(chance))
		chance = UINT32_MAX / 2;
	return pause_ns / 2 + (pause_ns / 2 >> 16) * (chance >> 16);
}

static void pause_from(struct dial *dial, int64_t now_ns)
{
	dial->state = DIAL_PAUSED;
	dial->until_ns = now_ns + by_chance(dial->pause_ns);
	dial->pause_ns *= 2;
	if (dial->pause_ns > DIAL_PAUSE_MAX_NS)
		dial->pause_ns = DIAL_PAUSE_MAX_NS;
}

int64_t dial_settled_ns(const struct dial *dial)
{
	return dial->until_ns + dial->pause_ns;
}

void dial_again(struct dial *dial, int64_t now_ns)
{
	if (now_ns >= dial_settled_ns(dial))
		dial->pause_ns = DIAL_PAUSE_MIN_NS;
	pause_from(dial, now_ns);
}

static void forget_addresses(struct dial *dial)
{
	if (dial->found)
		freeaddrinfo(dial->found);
	dial->found = NULL;
	dial->at = NULL;
}

static int fail(struct dial *dial, int64_t now_ns, const char *why)
{
	dial->why = why;
	forget_addresses(dial);
	pause_from(dial, now_ns);
	return -1;
}

/* --- connecting -------------------------------------------------------------------- */

static void give_up(struct dial *dial, int error)
{
	dial->why = strerror(error);
	if (dial->fd >= 0)
		close(dial->fd);
	dial->fd = -1;
	dial->at = dial->at->ai_next;
}

static int succeed(struct dial *dial, int64_t now_ns)
{
	forget_addresses(dial);
	dial->state = DIAL_UP;
	dial->until_ns = now_ns;
	return 1;
}

/* A host that was switched off says nothing: the connection has to end by itself. */
static void set_up(int fd, int family)
{
	int one = 1, unanswered_ms = UNANSWERED_MS;

	if (family == AF_UNIX)
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
}

/*
 * Begins with dial->at, and goes on to the next as long as one fails at once, also
 * where the kernel does not know the family.
 */
static int try_addresses(struct dial *dial, int64_t now_ns)
{
	while (dial->at) {
		const struct addrinfo *at = dial->at;

		dial->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (dial->fd < 0) {
			give_up(dial, errno);
			continue;
		}
		set_up(dial->fd, at->ai_family);
		if (connect(dial->fd, at->ai_addr, at->ai_addrlen) == 0)
			return succeed(dial, now_ns);
		if (errno == EINPROGRESS) {
			dial->state = DIAL_CONNECTING;
			dial->until_ns = now_ns + CONNECT_NS;
			return 0;
		}
		give_up(dial, errno);
	}
	return fail(dial, now_ns, dial->why);
}

static int see_connection(struct dial *dial, int64_t now_ns)
{
	struct pollfd polled = { .fd = dial->fd, .events = POLLOUT };
	int error = ETIMEDOUT;
	socklen_t length = sizeof(error);

	if (poll(&polled, 1, 0) == 1) {
		if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
			error = errno;
		if (error == 0)
			return succeed(dial, now_ns);
	} else if (now_ns < dial->until_ns) {
		return 0;
	}
	give_up(dial, error);
	return try_addresses(dial, now_ns);
}

/* --- names --------------------------------------------------------------------------- */

static int see_lookup(struct dial *dial, int64_t now_ns)
{
	int code = gai_error(&dial->lookup->request);

	if (code == EAI_INPROGRESS) {
		dial->until_ns = now_ns + LOOK_NS;
		return 0;
	}
	dial->found = dial->lookup->request.ar_result;
	free(dial->lookup);
	dial->lookup = NULL;
	if (code != 0)
		return fail(dial, now_ns, gai_strerror(code));
	dial->at = dial->found;
	return try_addresses(dial, now_ns);
}

/*
 * What may ask another machine is done beside us, by the C library's own thread,
 * which blocks all signals. The list that it is given is copied.
 */
static int look_up(struct dial *dial, struct dial_lookup *lookup, int64_t now_ns)
{
	struct gaicb *list[] = { &lookup->request };
	int code;

	lookup->hints.ai_flags = 0;
	lookup->request = (struct gaicb){ .ar_name = lookup->host, .ar_service = lookup->port,
					  .ar_request = &lookup->hints };
	code = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
	if (code != 0) {
		free(lookup);
		return fail(dial, now_ns, gai_strerror(code));
	}
	dial->lookup = lookup;
	dial->state = DIAL_LOOKING_UP;
	return see_lookup(dial, now_ns);
}

static int start_tcp(struct dial *dial, int64_t now_ns)
{
	struct dial_lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return fail(dial, now_ns, strerror(ENOMEM));
	lookup->hints = (struct addrinfo){ .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	if (!door_split(dial->address, lookup->host, &lookup->port)) {
		free(lookup);
		return fail(dial, now_ns, strerror(EINVAL));
	}
	if (getaddrinfo(lookup->host, lookup->port, &lookup->hints, &dial->found) != 0)
		return look_up(dial, lookup, now_ns);
	free(lookup);
	dial->at = dial->found;
	return try_addresses(dial, now_ns);
}

static int start(struct dial *dial, int64_t now_ns)
{
	if (dial->local.ai_family != AF_UNIX)
		return start_tcp(dial, now_ns);
	dial->at = &dial->local;
	return try_addresses(dial, now_ns);
}

int dial_run(struct dial *dial, int64_t now_ns)
{
	switch (dial->state) {
	case DIAL_PAUSED:
		return now_ns < dial->until_ns ? 0 : start(dial, now_ns);
	case DIAL_LOOKING_UP:
		return see_lookup(dial, now_ns);
	case DIAL_CONNECTING:
		return see_connection(dial, now_ns);
	case DIAL_UP:
		break;
	}
	return 0;
}

/* A lookup under way stays the C library's, until the program has ended. */
void dial_fini(struct dial *dial)
{
	struct dial_lookup *lookup = dial->lookup;

	if (lookup) {
		gai_cancel(&lookup->request);
		if (gai_error(&lookup->request) != EAI_INPROGRESS) {
			dial->found = lookup->request.ar_result;
			free(lookup);
		}
		dial->lookup = NULL;
	}
	forget_addresses(dial);
	if (dial->state == DIAL_CONNECTING)
		close(dial->fd);
	dial->state = DIAL_PAUSED;
}
