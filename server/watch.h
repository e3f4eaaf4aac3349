/* SPDX-License-Identifier: MIT */
/*
 * Tells when a file has new content, by inotify: after a close that follows
 * writing, and after a rename or link into place. Directories are watched, so
 * the file may vanish and come back. If its path is a symbolic link, each link on
 * the way is watched too. What another machine does on a network file system
 * stays unseen, and so does a rename of a directory further up.
 *
 * One thread at a time. Nothing blocks; the owner polls watch_fd for reading.
 */
#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_ERROR_MAX 512u
#define WATCH_SETTLE_MS 200  /* without another change */
#define WATCH_RETRY_MS 1000  /* to find a directory that is gone */

struct watch;

/*
 * To be opened before the file is read, or a change in between goes unseen. The
 * file need not exist, its directory must. -ENOENT, -ENOTDIR, -EACCES, -ELOOP:
 * no way to the file; -EMFILE, -ENOSPC: the limits of inotify; -ENOMEM; `error`
 * then says which, with the path.
 */
int watch_open(struct watch **watch, const char *path, char error[WATCH_ERROR_MAX]);
/* NULL is allowed; *watch becomes NULL. */
void watch_close(struct watch **watch);

int watch_fd(const struct watch *watch);
/* How long watch_due need not be called unless watch_fd is readable; -1: for ever. */
int64_t watch_timeout_ms(const struct watch *watch, int64_t now_ms);
/*
 * Takes what inotify has and says, once, that changes have settled: the file
 * should be read. It may turn out to be as it was, since events can be lost.
 * `now_ms` is of a clock that never steps back.
 */
bool watch_due(struct watch *watch, int64_t now_ms);
/*
 * Why the file cannot be watched just now, told once: its directory was removed
 * or renamed. The watch looks for it until it is back. NULL: nothing new.
 */
const char *watch_problem(struct watch *watch);

#endif
