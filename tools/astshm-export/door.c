/* SPDX-License-Identifier: MIT */
#include "door.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#define BACKLOG 64

static int fail(struct astshm_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct astshm_error *error, int code, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(error->text, sizeof(error->text), format, list);
	va_end(list);
	error->code = code;
	return code;
}

/* --- a Unix socket ----------------------------------------------------------- */

static bool is_socket(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* A socket whose process is gone: connecting is refused. */
static bool is_deserted(const struct sockaddr_un *address)
{
	int fd, result;

	if (!is_socket(address->sun_path))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	result = result < 0 ? errno : 0;
	close(fd);
	return result == ECONNREFUSED;
}

/* What is in the way, and what to do about it. */
static const char *say_bind(int code, const char *path)
{
	if (code != -EADDRINUSE)
		return strerror(-code);
	return is_socket(path) ? "a process listens there already; choose another path or stop it"
			       : "something that is no socket is there; choose another path";
}

static int open_unix(struct door *door, const char *path, struct astshm_error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat status;

	if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
		return fail(error, -EINVAL, "unix:%.150s: a path of 1 to %zu bytes is needed", path,
			    sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	door->path = strdup(path);
	if (!door->path)
		return fail(error, -ENOMEM, "out of memory");
	door->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (door->fd >= 0 && is_deserted(&address))
		unlink(path);
	if (door->fd < 0 ||
	    bind(door->fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		int code = -errno;

		free(door->path); /* not ours to remove */
		door->path = NULL;
		return fail(error, code, "unix:%.150s: %s", path, say_bind(code, path));
	}
	if (lstat(path, &status) == 0) {
		door->device = status.st_dev;
		door->inode = status.st_ino;
	}
	snprintf(door->text, sizeof(door->text), "unix:%s", path);
	return 0;
}

/* --- TCP ----------------------------------------------------------------------- */

/* A number that is too large would be cut; a word, 3com-tsmux too, is one of /etc/services. */
static bool is_port(const char *text)
{
	if (text[strspn(text, "0123456789")] != '\0')
		return getservbyname(text, "tcp");
	return strtoul(text, NULL, 10) <= 65535;
}

bool door_split(const char *address, char host[DOOR_HOST_BYTES], const char **port)
{
	const char *colon = strrchr(address, ':'), *start = address, *end = colon;

	if (!colon || colon == address || colon[1] == '\0')
		return false;
	if (address[0] == '[') {
		if (colon[-1] != ']')
			return false;
		start++;
		end--;
	} else if (memchr(address, ':', (size_t)(colon - address))) {
		return false; /* which colon is the port's? */
	}
	if (end == start || end - start >= DOOR_HOST_BYTES)
		return false;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = '\0';
	*port = colon + 1;
	return is_port(*port);
}

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return six->sin6_addr.s6_addr[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* With port 0 only the socket knows which one it has. */
static void name_tcp(struct door *door)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t length = sizeof(bound);
	char host[64], port[16];

	if (getsockname(door->fd, (struct sockaddr *)&bound, &length) != 0 ||
	    getnameinfo((struct sockaddr *)&bound, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	snprintf(door->text, sizeof(door->text), bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
		 host, port);
}

static int open_tcp(struct door *door, const char *address, bool allow_remote,
		    struct astshm_error *error)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
	char host[DOOR_HOST_BYTES];
	const char *port;
	int code, one = 1;

	if (!door_split(address, host, &port))
		return fail(error, -EINVAL, "'%.150s' is neither HOST:PORT nor unix:PATH", address);
	code = getaddrinfo(host, port, &hints, &found);
	if (code != 0)
		return fail(error, -EINVAL, "%.150s: %s", address, gai_strerror(code));
	if (!allow_remote && !is_loopback(found->ai_addr)) {
		freeaddrinfo(found);
		return fail(error, -EPERM,
			    "%.150s is no loopback address: that needs --allow-remote", address);
	}
	door->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	code = door->fd < 0 ||
	       setsockopt(door->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	       bind(door->fd, found->ai_addr, found->ai_addrlen) != 0 ? -errno : 0;
	freeaddrinfo(found);
	if (code < 0)
		return fail(error, code, "%.150s: %s", address, strerror(-code));
	name_tcp(door);
	return 0;
}

int door_open(struct door *door, const char *address, bool allow_remote,
	      struct astshm_error *error)
{
	int result;

	*door = (struct door){ .fd = -1 };
	if (strncmp(address, "unix:", 5) == 0)
		result = open_unix(door, address + 5, error);
	else
		result = open_tcp(door, address, allow_remote, error);
	if (result == 0 && listen(door->fd, BACKLOG) != 0)
		result = fail(error, -errno, "%.150s: %s", address, strerror(errno));
	if (result < 0)
		door_close(door);
	return result;
}

/*
 * Somebody may have removed ours and listen at one of their own by now. As long as ours
 * is open its inode's number is no other's.
 */
static bool is_ours(const struct door *door)
{
	struct stat status;

	return lstat(door->path, &status) == 0 && status.st_dev == door->device &&
	       status.st_ino == door->inode;
}

void door_close(struct door *door)
{
	if (door->path && is_ours(door))
		unlink(door->path);
	if (door->fd >= 0)
		close(door->fd);
	free(door->path);
	*door = (struct door){ .fd = -1 };
}
