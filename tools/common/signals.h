/* SPDX-License-Identifier: MIT */
/*
 * Signals and sleeping, for tools that read segments pass by pass.
 */
#ifndef TOOLS_SIGNALS_H
#define TOOLS_SIGNALS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * SIGINT, SIGTERM and SIGHUP ask for an end (a second one ends the program at
 * once); SIGPIPE is ignored, so that writing gives EPIPE; SIGBUS goes to
 * astshm_reader_handle_sigbus(), and to the default action if it is not ours.
 */
void signals_install(void);

/*
 * `rescue` is called, in a signal handler, right before a second signal or a SIGBUS
 * that is not ours ends the program: a terminal can be put in order. NULL: nothing.
 */
void signals_before_abrupt_end(void (*rescue)(void));

bool signals_stop_wanted(void);

/*
 * Keeps those that ask for an end out, so that one may look whether one has come and
 * then wait with ppoll(2), which lets them in by *before; to be set again afterwards.
 */
void signals_block(sigset_t *before);

/* CLOCK_MONOTONIC. */
int64_t monotonic_ns(void);

enum slept { SLEPT, SLEEP_STOPPED, SLEEP_HUNG_UP };

/*
 * Sleeps until that time of monotonic_ns(). SLEEP_STOPPED: an end was asked
 * for; SLEEP_HUNG_UP: the reader of the pipe `fd` (-1: none) went away.
 */
enum slept sleep_until(int64_t time_ns, int fd);

/*
 * ppoll(2) of `count` descriptors for at most `timeout_ns` (< 0: without end);
 * signals that ask for an end come in only meanwhile, so that none is slept
 * through. True: look at the descriptors, the time may be over; false: an end was
 * asked for.
 */
bool signals_poll(struct pollfd *polled, nfds_t count, int64_t timeout_ns);

#endif
