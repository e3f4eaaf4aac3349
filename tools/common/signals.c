/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include <astshm/reader.h>

#include "signals.h"

#define SECOND_NS 1000000000

static volatile sig_atomic_t stop_wanted;

static void (*volatile before_end)(void);

void signals_before_abrupt_end(void (*rescue)(void))
{
	before_end = rescue;
}

static void end_abruptly(int number)
{
	if (before_end)
		before_end();
	signal(number, SIG_DFL);
}

/* The signal is blocked here and comes, fatally, when this returns. */
static void ask_for_end(int number)
{
	if (!stop_wanted) {
		stop_wanted = 1;
		return;
	}
	end_abruptly(number);
	raise(number);
}

static void handle_sigbus(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (astshm_reader_handle_sigbus(info->si_addr))
		return;
	/* Returning runs the faulting instruction again, now fatally. */
	end_abruptly(number);
}

void signals_block(sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, before);
}

/* A signal that our parent ignores (nohup, a shell's background job) stays so. */
static void install_stop(int number)
{
	struct sigaction old, action = { .sa_handler = ask_for_end };

	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

void signals_install(void)
{
	struct sigaction bus = { .sa_sigaction = handle_sigbus, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &bus, NULL);
	signal(SIGPIPE, SIG_IGN);
	install_stop(SIGINT);
	install_stop(SIGTERM);
	install_stop(SIGHUP);
}

bool signals_stop_wanted(void)
{
	return stop_wanted != 0;
}

int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* Without any event asked for, poll still tells POLLERR: no reader is left. */
static int poll_once(int64_t left_ns, int fd, const sigset_t *during)
{
	struct timespec timeout = { left_ns / SECOND_NS, left_ns % SECOND_NS };
	struct pollfd polled = { .fd = fd };

	return ppoll(&polled, 1, &timeout, during);
}

enum slept sleep_until(int64_t time_ns, int fd)
{
	enum slept slept = SLEPT;
	sigset_t before;
	int64_t left_ns;

	/* Blocked between the look at the flag and the sleep, so that no signal
	 * falls in between; ppoll lets them in. */
	signals_block(&before);
	for (;;) {
		if (signals_stop_wanted()) {
			slept = SLEEP_STOPPED;
			break;
		}
		left_ns = time_ns - monotonic_ns();
		if (left_ns <= 0)
			break;
		if (poll_once(left_ns, fd, &before) > 0) {
			slept = SLEEP_HUNG_UP;
			break;
		}
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return slept;
}

bool signals_poll(struct pollfd *polled, nfds_t count, int64_t timeout_ns)
{
	struct timespec timeout = { timeout_ns / SECOND_NS, timeout_ns % SECOND_NS };
	sigset_t before;
	int result = 0;

	signals_block(&before);
	if (!signals_stop_wanted())
		result = ppoll(polled, count, timeout_ns < 0 ? NULL : &timeout, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	/* After EINTR the events are those of an earlier call. */
	for (nfds_t i = 0; result <= 0 && i < count; i++)
		polled[i].revents = 0;
	return !signals_stop_wanted();
}
