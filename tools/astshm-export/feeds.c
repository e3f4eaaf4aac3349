/* SPDX-License-Identifier: MIT */
#include "feeds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "message.h"
#include "signals.h"

#define EVENTS_MAX 64
#define MILLISECOND_NS 1000000

struct feeds {
	int epoll_fd;
	int64_t interval_ns;
	int64_t turn_ns; /* the next */
	struct segments *segments;
	struct backlog backlog;
	struct feed *items;
	size_t count;
	bool fluentd; /* one of them at least */
	int failed;   /* why snapshots were lacking in the last turn, as the log knows */
};

/* --- snapshots ------------------------------------------------------------------- */

/*
 * A writer that has ended is told of once, with its last values, and then no more
 * until there is one that lives: the values would be the same for ever.
 */
static bool is_news(struct served *served, const struct astshm_snapshot *snapshot)
{
	const struct astshm_segment_info *segment = astshm_snapshot_segment(snapshot);
	uint64_t ended = segment->state == ASTSHM_STATE_LIVE ? 0 : segment->generation;
	bool news = ended == 0 || served->told_ended != ended;

	served->told_ended = ended;
	return news;
}

static int take(struct feeds *feeds, struct served *served)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error = { 0 };
	struct frame *frame = NULL;
	int result;

	/* What is not there, or cannot be read, has no values. */
	if (served_snapshot(served, 0, &snapshot, &error) < 0)
		return 0;
	result = is_news(served, snapshot)
			 ? frame_make(&frame, snapshot, served->name, backlog_end(&feeds->backlog),
				      feeds->fluentd)
			 : 0;
	astshm_snapshot_free(&snapshot);
	if (frame)
		result = backlog_add(&feeds->backlog, frame);
	if (result < 0)
		frame_release(&frame);
	return result;
}

static bool is_wanted(const struct feeds *feeds)
{
	for (size_t i = 0; i < feeds->count; i++) {
		if (feed_wants(&feeds->items[i]))
			return true;
	}
	return false;
}

/* What is known is sent although one of them, or the list, cannot be had. */
static void take_all(struct feeds *feeds)
{
	int result = segments_refresh(feeds->segments);

	for (size_t i = 0; i < feeds->segments->count; i++) {
		int one = take(feeds, &feeds->segments->items[i]);

		result = result < 0 ? result : one;
	}
	if (result < 0 && result != feeds->failed)
		message("the feeds lack snapshots: %s", strerror(-result));
	feeds->failed = result;
}

/* A turn that comes late is not made up for; those after it come in time. */
static void set_next_turn(struct feeds *feeds, int64_t now_ns)
{
	int64_t late_ns = now_ns - feeds->turn_ns;

	feeds->turn_ns += feeds->interval_ns * (late_ns / feeds->interval_ns + 1);
}

static void take_turn(struct feeds *feeds, int64_t now_ns)
{
	set_next_turn(feeds, now_ns);
	backlog_turn(&feeds->backlog);
	if (is_wanted(feeds))
		take_all(feeds);
	for (size_t i = 0; i < feeds->count; i++)
		feed_turn(&feeds->items[i]);
}

/* --- running --------------------------------------------------------------------------- */

int feeds_fd(const struct feeds *feeds)
{
	return feeds->epoll_fd;
}

int64_t feeds_timeout_ns(const struct feeds *feeds)
{
	int64_t due_ns = feeds->turn_ns, left_ns;

	for (size_t i = 0; i < feeds->count; i++) {
		int64_t feed_ns = feed_due_ns(&feeds->items[i]);

		due_ns = feed_ns < due_ns ? feed_ns : due_ns;
	}
	left_ns = due_ns - monotonic_ns();
	return left_ns > 0 ? left_ns : 0;
}

static void take_events(struct feeds *feeds, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(feeds->epoll_fd, events, EVENTS_MAX, timeout_ms);

	/* A consumer goes with its own event at most, so the others' are good. */
	for (int i = 0; i < count; i++) {
		struct watched *watched = events[i].data.ptr;

		feed_ready(watched->feed, watched, events[i].events);
	}
}

enum feed_end feeds_run(struct feeds *feeds)
{
	enum feed_end end = FEED_GOES_ON;
	int64_t now_ns;

	take_events(feeds, 0);
	now_ns = monotonic_ns();
	for (size_t i = 0; i < feeds->count; i++)
		feed_due(&feeds->items[i], now_ns);
	if (now_ns >= feeds->turn_ns)
		take_turn(feeds, now_ns);
	for (size_t i = 0; i < feeds->count; i++)
		end = feeds->items[i].end > end ? feeds->items[i].end : end;
	return end;
}

/* --- from start to end ------------------------------------------------------------------- */

/* Half of the descriptors there can be, for all feeds; the rest is for segments and
 * for HTTP. */
static uint64_t most_consumers(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 512;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur / 2;
}

/* No feed can take from what another one may have. */
static uint64_t share_of(const struct target *targets, size_t count)
{
	uint64_t listening = 0;

	for (size_t i = 0; i < count; i++)
		listening += targets[i].role == TARGET_LISTEN;
	return listening > 0 ? most_consumers() / listening : 0;
}

static int open_all(struct feeds *feeds, const struct target *targets, size_t count,
		    bool allow_remote, struct astshm_error *error)
{
	uint64_t share = share_of(targets, count);

	for (size_t i = 0; i < count; i++) {
		struct feed *feed = &feeds->items[i];
		int result = feed_open(feed, &targets[i], feeds->epoll_fd, &feeds->backlog, share,
				       allow_remote, error);

		if (result < 0)
			return result;
		feeds->count++;
		feeds->fluentd |= feed->target.framing == FRAMING_FLUENTD;
		message("feeding %s every %g s", feed->text, (double)feeds->interval_ns / 1e9);
	}
	return 0;
}

static void free_feeds(struct feeds **feeds)
{
	for (size_t i = 0; i < (*feeds)->count; i++)
		feed_close(&(*feeds)->items[i]);
	backlog_fini(&(*feeds)->backlog);
	if ((*feeds)->epoll_fd >= 0)
		close((*feeds)->epoll_fd);
	free((*feeds)->items);
	free(*feeds);
	*feeds = NULL;
}

int feeds_start(struct feeds **feeds, const struct target *targets, size_t count,
		int64_t interval_ns, bool allow_remote, struct segments *segments,
		struct astshm_error *error)
{
	struct feeds *made = calloc(1, sizeof(*made));
	int result;

	if (!made)
		return -ENOMEM;
	made->items = calloc(count, sizeof(*made->items));
	made->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	made->backlog = (struct backlog)BACKLOG_INIT;
	made->segments = segments;
	made->interval_ns = interval_ns;
	made->turn_ns = monotonic_ns();
	result = !made->items ? -ENOMEM : made->epoll_fd < 0 ? -errno : 0;
	if (result == 0)
		result = open_all(made, targets, count, allow_remote, error);
	if (result < 0)
		free_feeds(&made);
	else
		*feeds = made;
	return result;
}

static bool has_consumers(const struct feeds *feeds)
{
	for (size_t i = 0; i < feeds->count; i++) {
		if (feeds->items[i].consumers)
			return true;
	}
	return false;
}

/* Whoever asks a second time for the end gets it at once, see signals_install(). */
static void finish_frames(struct feeds *feeds)
{
	int64_t now_ns = monotonic_ns(), end_ns = now_ns + FEEDS_FINISH_NS;

	for (size_t i = 0; i < feeds->count; i++)
		feed_finish(&feeds->items[i]);
	for (; now_ns < end_ns && has_consumers(feeds); now_ns = monotonic_ns())
		take_events(feeds, (int)((end_ns - now_ns) / MILLISECOND_NS) + 1);
	for (size_t i = 0; i < feeds->count; i++)
		feed_cut(&feeds->items[i]);
}

void feeds_stop(struct feeds **feeds)
{
	if (!*feeds)
		return;
	finish_frames(*feeds);
	for (size_t i = 0; i < (*feeds)->count; i++) {
		const struct feed *feed = &(*feeds)->items[i];

		message("%s: %" PRIu64 " snapshots sent, %" PRIu64 " dropped", feed->text,
			feed->counts.sent, feed->counts.dropped);
	}
	free_feeds(feeds);
}

const struct feed *feeds_at(const struct feeds *feeds, size_t i)
{
	return i < feeds->count ? &feeds->items[i] : NULL;
}
