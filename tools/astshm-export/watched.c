/* SPDX-License-Identifier: MIT */
#include "watched.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int watched_set(struct watched *watched, int epoll_fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watched };

	if (watched->added && watched->events == events)
		return 0;
	/* It may be there for somebody else: who connected hands it over. */
	if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, watched->fd, &event) < 0 &&
	    (errno != ENOENT || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watched->fd, &event) < 0))
		return -errno;
	watched->added = true;
	watched->events = events;
	return 0;
}

/* An epoll instance forgets what is closed only where there is no copy of the descriptor:
 * stdout is one. */
void watched_close(struct watched *watched, int epoll_fd)
{
	if (watched->added)
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watched->fd, NULL);
	if (watched->fd >= 0)
		close(watched->fd);
	*watched = (struct watched){ .feed = watched->feed, .fd = -1 };
}
