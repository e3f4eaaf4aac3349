/* SPDX-License-Identifier: MIT */
/* The UDP socket and the thread that empties it. */
#ifndef SERVER_UDP_H
#define SERVER_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "intake.h"

struct udp_listener;

/*
 * Binds a socket with a receive buffer of `buffer_bytes` (or what the kernel
 * grants). Failures are logged: -EADDRINUSE the port is taken; others as
 * bind(2).
 */
int udp_open(struct udp_listener **listener, const struct address *address,
	     size_t buffer_bytes, struct intake *intake);
/* The address in use: the real port where 0 was asked for. */
const struct address *udp_bound(const struct udp_listener *listener);
/* Starts the thread. Whatever came since udp_open waits in the socket. */
int udp_start(struct udp_listener *listener);
/* Ends the thread; what is still in the socket is left there. */
void udp_stop(struct udp_listener *listener);
/* Stops and closes; *listener becomes NULL. NULL is allowed. */
void udp_close(struct udp_listener **listener);

#endif
