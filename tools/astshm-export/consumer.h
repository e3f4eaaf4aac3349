/* SPDX-License-Identifier: MIT */
/*
 * One that is fed: where it stands in the backlog, and what it takes of it.
 */
#ifndef EXPORT_CONSUMER_H
#define EXPORT_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backlog.h"
#include "target.h"
#include "watched.h"

/* What /metrics tells of a feed. */
struct feed_counts {
	uint64_t sent;       /* snapshots that went out whole */
	uint64_t dropped;    /* that a consumer did not get */
	uint64_t slow;       /* consumers that were hung up on for it */
	uint64_t reconnects;
	uint64_t failures;   /* to connect */
};

struct consumer {
	struct watched watched; /* has to be the first */
	struct consumer *next_of_feed;
	enum framing framing;
	bool is_socket;
	bool blocked;           /* takes no more for now */
	bool silent;            /* its side of the connection is shut */
	bool last;              /* the frame under way is */
	size_t said;            /* bytes that it sent us */
	uint64_t turn;          /* when it was last sent a whole frame, or had not been yet */
	struct frame *current;  /* being sent; NULL: none */
	size_t sent;            /* bytes of it */
	uint64_t next;          /* number of the frame after it */
};

/*
 * Sends what there is as far as it is taken. A frame is finished before the next
 * one begins, even if it has left the backlog. 0; -errno: the connection has ended.
 */
int consumer_send(struct consumer *consumer, const struct backlog *backlog,
		  struct feed_counts *counts);

/*
 * Takes what the consumer says, which is nothing that we care for. -ENOTCONN: it
 * shut its side, and is told of once; -EPROTO: a Fluentd that asks for a shared
 * key; -EMSGSIZE: it talks without end; else as recv(2).
 */
int consumer_hear(struct consumer *consumer);

/* Has it lost something, or got stuck within a frame for as long? */
bool consumer_is_slow(const struct consumer *consumer, const struct backlog *backlog);

/*
 * May it have gone? One whose side is shut shows that only when something is sent to
 * it, which nothing was for as long as the backlog lasts.
 */
bool consumer_is_doubtful(const struct consumer *consumer, const struct backlog *backlog);

/* How many frames it has not got, the one under way among them. */
uint64_t consumer_left(const struct consumer *consumer, const struct backlog *backlog);

/*
 * Takes what it said last. close(2) resets a connection of which something is unread,
 * and what is still on its way to the consumer would be lost with it.
 */
void consumer_hear_out(const struct consumer *consumer);

/* Where another connection has to go on: a frame is sent whole or not at all. */
uint64_t consumer_place(const struct consumer *consumer);

/* The events of epoll(7) that it waits for. */
uint32_t consumer_events(const struct consumer *consumer);

#endif
