/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch.h"

/* The file, and the symbolic links that lead to it. */
#define PLACES 9u
#define NEVER (-1)
/* A flood must not keep the caller: the rest is read at its next call. */
#define READS_AT_ONCE 64

#define CONTENT_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO)
#define DIRECTORY_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

struct place {
	int directory; /* inotify's number of it */
	char path[PATH_MAX];
	const char *name; /* the part of the path behind the directory */
};

struct watch {
	int fd;
	char path[PATH_MAX]; /* absolute */
	struct place places[PLACES];
	size_t count;
	bool lost;        /* the way to the file ends early */
	bool has_problem; /* not told yet */
	int64_t due_ms;
	int64_t retry_ms;
	char problem[WATCH_ERROR_MAX];
};

/* What a batch of events amounts to. */
struct found {
	bool content; /* the file may be another */
	bool way;     /* so may be what leads to it */
};

/* --- the way to the file ---------------------------------------------- */

/* The directory of a path, as a path. */
static void directory_of(const struct place *place, char directory[PATH_MAX])
{
	size_t length = (size_t)(place->name - place->path);

	memcpy(directory, place->path, length);
	if (length > 1)
		length--; /* the slash, unless it is all */
	directory[length] = '\0';
}

/* Watches the directory that holds the last name of `path`, an absolute one. */
static int add_place(struct watch *watch, const char *path)
{
	struct place *place = &watch->places[watch->count];
	char directory[PATH_MAX];

	if (watch->count == PLACES)
		return -ELOOP;
	strcpy(place->path, path);
	place->name = strrchr(place->path, '/') + 1;
	directory_of(place, directory);
	place->directory = inotify_add_watch(watch->fd, directory,
					     CONTENT_EVENTS | IN_CREATE | IN_DELETE_SELF |
					     IN_MOVE_SELF | IN_ONLYDIR);
	if (place->directory < 0)
		return -errno;
	watch->count++;
	return 0;
}

/* 1: the last place is a link, to *next; 0: it is none, or is not there. */
static int read_link(const struct watch *watch, char next[PATH_MAX])
{
	const struct place *place = &watch->places[watch->count - 1];
	size_t before = (size_t)(place->name - place->path);
	char target[PATH_MAX];
	ssize_t length = readlink(place->path, target, sizeof target);

	if (length < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	if (target[0] == '/')
		before = 0;
	if (before + (size_t)length >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(next, place->path, before);
	memcpy(next + before, target, (size_t)length);
	next[before + (size_t)length] = '\0';
	return 1;
}

static int walk(struct watch *watch)
{
	char path[PATH_MAX];
	int result;

	watch->count = 0;
	strcpy(path, watch->path);
	do {
		result = add_place(watch, path);
		if (result == 0)
			result = read_link(watch, path);
	} while (result == 1);
	return result;
}

static bool is_watched(const struct watch *watch, int directory)
{
	for (size_t i = 0; i < watch->count; i++) {
		if (watch->places[i].directory == directory)
			return true;
	}
	return false;
}

/*
 * Goes the way anew. Directories that are on it as before keep their numbers,
 * and no event of theirs is lost. What could be watched is, also on failure.
 */
static int find_way(struct watch *watch)
{
	int before[PLACES];
	size_t count = watch->count;

	for (size_t i = 0; i < count; i++)
		before[i] = watch->places[i].directory;
	int result = walk(watch);
	for (size_t i = 0; i < count; i++) {
		if (!is_watched(watch, before[i]))
			inotify_rm_watch(watch->fd, before[i]);
	}
	return result;
}

/* --- events ----------------------------------------------------------- */

/*
 * A file that is created gets its content later. Where a link was made, to
 * another file or to another name's, there is content.
 */
static bool has_content(const struct place *place)
{
	struct stat status;

	return lstat(place->path, &status) == 0 &&
	       (S_ISLNK(status.st_mode) || status.st_nlink > 1);
}

static bool brings_content(const struct place *place, const struct inotify_event *event)
{
	if (event->len == 0 || strcmp(event->name, place->name) != 0)
		return false;
	return (event->mask & CONTENT_EVENTS) ||
	       ((event->mask & IN_CREATE) && has_content(place));
}

static void take_event(const struct watch *watch, const struct inotify_event *event,
		       struct found *found)
{
	if (event->mask & IN_Q_OVERFLOW)
		found->content = found->way = true;
	for (size_t i = 0; i < watch->count; i++) {
		const struct place *place = &watch->places[i];

		if (place->directory != event->wd)
			continue;
		if (event->mask & DIRECTORY_EVENTS)
			found->way = true;
		if (brings_content(place, event))
			found->content = true;
	}
}

static struct found read_events(const struct watch *watch)
{
	_Alignas(struct inotify_event) char events[8192];
	struct found found = { false, false };

	for (int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t length = read(watch->fd, events, sizeof events);
		if (length <= 0) /* no more, or a signal: then later */
			break;
		for (ssize_t at = 0; at < length;) {
			const struct inotify_event *event = (const void *)(events + at);

			take_event(watch, event, &found);
			at += (ssize_t)(sizeof *event + event->len);
		}
	}
	return found;
}

/* True: the file may be another than before. */
static bool keep_way(struct watch *watch, int64_t now_ms)
{
	bool was_lost = watch->lost;
	int result = find_way(watch);

	watch->lost = result < 0;
	if (watch->lost) {
		watch->retry_ms = now_ms + WATCH_RETRY_MS;
		watch->has_problem |= !was_lost;
		snprintf(watch->problem, sizeof watch->problem,
			 "%.300s cannot be watched until its directory is back: %s",
			 watch->path, strerror(-result));
	}
	return !watch->lost;
}

static bool exists(const struct watch *watch)
{
	struct stat status;

	return stat(watch->path, &status) == 0 || errno != ENOENT;
}

bool watch_due(struct watch *watch, int64_t now_ms)
{
	struct found found = read_events(watch);
	bool retry = watch->lost && now_ms >= watch->retry_ms;

	/* New content may be a new link, so the way is looked at as well. */
	if (found.way || found.content || retry)
		found.content |= keep_way(watch, now_ms);
	if (found.content)
		watch->due_ms = now_ms + WATCH_SETTLE_MS;
	if (watch->due_ms == NEVER || now_ms < watch->due_ms)
		return false;
	watch->due_ms = NEVER;
	return exists(watch);
}

int64_t watch_timeout_ms(const struct watch *watch, int64_t now_ms)
{
	int64_t next_ms = watch->due_ms;

	if (watch->lost && (next_ms == NEVER || watch->retry_ms < next_ms))
		next_ms = watch->retry_ms;
	if (next_ms == NEVER)
		return -1;
	return next_ms > now_ms ? next_ms - now_ms : 0;
}

const char *watch_problem(struct watch *watch)
{
	bool has_problem = watch->has_problem;

	watch->has_problem = false;
	return has_problem ? watch->problem : NULL;
}

int watch_fd(const struct watch *watch)
{
	return watch->fd;
}

/* --- opening ---------------------------------------------------------- */

/* The server's directory may change later. */
static int take_path(struct watch *watch, const char *path)
{
	char here[PATH_MAX] = "";

	if (path[0] == '\0' || path[strlen(path) - 1] == '/')
		return -EISDIR;
	if (path[0] != '/' && !getcwd(here, sizeof here))
		return -errno;
	int length = snprintf(watch->path, sizeof watch->path, "%s%s%s", here,
			      path[0] == '/' ? "" : "/", path);
	return length < (int)sizeof watch->path ? 0 : -ENAMETOOLONG;
}

static int open_inotify(struct watch *watch)
{
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return watch->fd < 0 ? -errno : 0;
}

int watch_open(struct watch **watch, const char *path, char error[WATCH_ERROR_MAX])
{
	struct watch *made = calloc(1, sizeof *made);
	int result = -ENOMEM;

	if (made) {
		made->fd = -1;
		made->due_ms = NEVER;
		result = take_path(made, path);
	}
	if (result == 0)
		result = open_inotify(made);
	if (result == 0)
		result = walk(made);
	if (result < 0) {
		snprintf(error, WATCH_ERROR_MAX, "%.300s cannot be watched: %s", path,
			 strerror(-result));
		watch_close(&made);
		return result;
	}
	*watch = made;
	return 0;
}

void watch_close(struct watch **watch)
{
	struct watch *old = *watch;

	*watch = NULL;
	if (!old)
		return;
	if (old->fd >= 0)
		close(old->fd);
	free(old);
}
