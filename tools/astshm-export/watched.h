/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that an epoll instance tells of: the event's pointer is this.
 */
#ifndef EXPORT_WATCHED_H
#define EXPORT_WATCHED_H

#include <stdbool.h>
#include <stdint.h>

struct feed;

struct watched {
	struct feed *feed;
	int fd; /* -1: none */
	uint32_t events;
	bool added;
};

/* Asks for these events from now on; nothing happens if it does already. -errno. */
int watched_set(struct watched *watched, int epoll_fd, uint32_t events);
/* No event comes any more. Closes the descriptor too. */
void watched_close(struct watched *watched, int epoll_fd);

#endif
