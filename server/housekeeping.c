/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "clock.h"
#include "housekeeping.h"
#include "watch.h"

#define GAP_LOOK_MS 100

struct housekeeping {
	struct ast_server *server;
	struct housekeeping_options options;
	struct watch *watch; /* NULL: the file is not watched */
	int stop_fd;
	int64_t next_tick_ms;
	struct gap gap;
};

static void tick_if_due(struct housekeeping *house, int64_t now_ms)
{
	if (now_ms < house->next_tick_ms)
		return;
	ast_server_tick(house->server);
	house->next_tick_ms = now_ms + HOUSEKEEPING_TICK_MS;
}


/* --- loading ------------------------------------------------------------------ */

/* While a file is loaded: the heart goes on beating, and a stop need not wait. */
static bool meanwhile(void *context)
{
	struct housekeeping *house = context;
	struct pollfd stop = { .fd = house->stop_fd, .events = POLLIN };

	tick_if_due(house, clock_now_ms());
	return poll(&stop, 1, 0) > 0;
}

static int load(struct housekeeping *house)
{
	struct load_options options = { .stop = meanwhile, .context = house };
	uint64_t received, lost;

	/* Before the file is read: what is lost meanwhile is missing from it. */
	intake_observe(&house->server->intake, &received, &lost);
	int result = ast_server_load(house->server, house->options.file, &options);
	gap_loaded(&house->gap, lost, clock_now_ms());
	return result;
}

static void open_watch(struct housekeeping *house)
{
	char error[WATCH_ERROR_MAX];

	if (house->options.watch && watch_open(&house->watch, house->options.file, error) < 0)
		log_write(LOG_WARNING, "%s: changes of the file will not be noticed", error);
}

int housekeeping_begin(struct housekeeping **housekeeping, struct ast_server *server,
		       const struct housekeeping_options *options, int stop_fd)
{
	struct housekeeping *house = calloc(1, sizeof *house);
	int result = 0;

	if (!house)
		return -ENOMEM;
	*house = (struct housekeeping){ .server = server, .options = *options,
					.stop_fd = stop_fd,
					.gap = { .limit = options->file ?
						 options->reload_on_gap : GAP_OFF } };
	if (options->file) {
		open_watch(house); /* first, so that no change falls in between */
		result = load(house);
	}
	if (result < 0)
		housekeeping_end(&house);
	else
		*housekeeping = house;
	return result;
}

void housekeeping_end(struct housekeeping **housekeeping)
{
	if (*housekeeping)
		watch_close(&(*housekeeping)->watch);
	free(*housekeeping);
	*housekeeping = NULL;
}

/* --- reasons to load again ------------------------------------------------------ */

static bool file_changed(struct housekeeping *house, int64_t now_ms)
{
	if (!house->watch)
		return false;
	bool due = watch_due(house->watch, now_ms);
	const char *problem = watch_problem(house->watch);
	if (problem)
		log_write(LOG_WARNING, "%s", problem);
	return due;
}

static bool too_much_lost(struct housekeeping *house, int64_t now_ms)
{
	uint64_t received, lost;

	intake_observe(&house->server->intake, &received, &lost);
	if (!gap_due(&house->gap, received, lost, now_ms))
		return false;
	log_write(LOG_INFO, "%llu events were lost: loading the file again",
		  (unsigned long long)(lost - house->gap.lost_when_loaded));
	return true;
}

/* --- the loop ---------------------------------------------------------------------- */

static int64_t wait_ms(const struct housekeeping *house, int64_t now_ms)
{
	int64_t wait = house->next_tick_ms - now_ms;
	int64_t watch = house->watch ? watch_timeout_ms(house->watch, now_ms) : -1;

	if (watch >= 0 && watch < wait)
		wait = watch;
	if (house->gap.limit != GAP_OFF && wait > GAP_LOOK_MS)
		wait = GAP_LOOK_MS;
	return wait > 0 ? wait : 0;
}

static void look_around(struct housekeeping *house)
{
	int64_t now_ms = clock_now_ms();

	/* Both are asked: each keeps its own account of time. */
	bool changed = file_changed(house, now_ms), lost = too_much_lost(house, now_ms);
	if (changed || lost)
		load(house);
	tick_if_due(house, now_ms);
}

void housekeeping_run(struct housekeeping *housekeeping)
{
	struct housekeeping *house = housekeeping;
	struct pollfd waits[2] = {
		{ .fd = house->stop_fd, .events = POLLIN },
		{ .fd = house->watch ? watch_fd(house->watch) : -1, .events = POLLIN },
	};

	while (!(waits[0].revents & POLLIN)) {
		look_around(house);
		/* An interrupted wait leaves the events of the last one. */
		if (poll(waits, 2, (int)wait_ms(house, clock_now_ms())) < 0)
			waits[0].revents = 0;
	}
}
