/* SPDX-License-Identifier: MIT */
/*
 * All that one --stream stands for: its consumers, and how they come and go.
 */
#ifndef EXPORT_FEED_H
#define EXPORT_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "consumer.h"
#include "dial.h"
#include "door.h"
#include "target.h"
#include "watched.h"

enum feed_end { FEED_GOES_ON, FEED_READER_GONE, FEED_FAILED };

struct feed {
	struct target target;
	char text[DOOR_TEXT_BYTES + 16]; /* the target, with the port that it got */
	int epoll_fd;
	const struct backlog *backlog;
	struct consumer *consumers;
	uint64_t consumer_count, consumers_max;
	struct feed_counts counts;
	struct door door;     /* TARGET_LISTEN */
	struct watched knock; /* at it */
	bool shut;            /* nobody is let in until the next turn */
	struct dial dial;     /* TARGET_CONNECT */
	struct watched answer;
	uint64_t next;        /* where the next connection goes on */
	bool connected_once;
	char told[96];        /* why there is no connection; "": nothing is wrong */
	bool wavers;          /* the last connection did not last: this one is not told of yet */
	uint64_t slow_told;
	bool finishing;       /* see feed_finish */
	enum feed_end end;    /* TARGET_STDOUT */
};

/*
 * The feed must stay where it is from then on, as must the backlog. At a time it
 * lets consumers_max in. -EINVAL, -EPERM: see door_open; else -errno; *error has
 * words.
 */
int feed_open(struct feed *feed, const struct target *target, int epoll_fd,
	      const struct backlog *backlog, uint64_t consumers_max, bool allow_remote,
	      struct astshm_error *error);
void feed_close(struct feed *feed);

/*
 * The end is near: nobody is let in or connected to any more, and each consumer gets
 * the rest of the frame that it is in the middle of. Those who are in none go at once,
 * the others when they have it, or with feed_cut(); what is left of the backlog counts
 * as dropped.
 */
void feed_finish(struct feed *feed);
/* No more time: tells of those who see half a frame. */
void feed_cut(struct feed *feed);

/* Is what the next turn has for anybody? */
bool feed_wants(const struct feed *feed);

/* A turn has come, the backlog has it: sends, and hangs up on those too slow. */
void feed_turn(struct feed *feed);

/* When feed_due() wants to be called; INT64_MAX: never. */
int64_t feed_due_ns(const struct feed *feed);
void feed_due(struct feed *feed, int64_t now_ns);

/* Events of one of its descriptors. */
void feed_ready(struct feed *feed, struct watched *watched, uint32_t events);

#endif
