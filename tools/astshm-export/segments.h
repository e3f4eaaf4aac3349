/* SPDX-License-Identifier: MIT */
/*
 * The segments that are served: those named on the command line, there or not,
 * and whatever the patterns among them match at the moment.
 */
#ifndef EXPORT_SEGMENTS_H
#define EXPORT_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <astshm/reader.h>

struct served {
	char *argument;               /* what the reader library is asked for */
	char *name;                   /* in URLs and in the label `segment` */
	bool matched;                 /* by a pattern: goes when the segment goes */
	bool present;                 /* the last listing had it */
	uint64_t told_ended;          /* generation whose end the feeds know of; 0: none */
	struct astshm_reader *reader; /* NULL: not attached now */
};

struct segments {
	struct served *items;
	size_t count;
	char **patterns; /* the command line's own strings */
	size_t pattern_count;
	bool several;    /* what was asked for may be more than one segment */
};

/*
 * `arguments` are names, paths, pids and patterns (with one of * ? [ and without
 * a '/'); without any: `only`, the path of the one live segment. -EEXIST: two of
 * them would have one name, which *error tells; -ENOMEM.
 */
int segments_init(struct segments *segments, char **arguments, size_t count, const char *only,
		  struct astshm_error *error);
void segments_fini(struct segments *segments);

/*
 * Matches the patterns against what there is now. A segment that a writer left
 * behind when another took its name (NAME~1) matches only patterns that have a
 * '~'. -ENOMEM, or why the machine's segments cannot be listed.
 */
int segments_refresh(struct segments *segments);

/* NULL: none of that name. */
struct served *segments_find(struct segments *segments, const char *name, size_t length);

/*
 * A snapshot, with a window if `window_ns` is not 0; attaches first where that is
 * needed, and lets go of what turned out to be broken. The writer may be dead:
 * the snapshot says so. Errors as astshm_reader_open and astshm_reader_window.
 */
int served_snapshot(struct served *served, int64_t window_ns, struct astshm_snapshot **snapshot,
		    struct astshm_error *error);

/* The same without any series and window, for about a hundredth of the cost. */
int served_head(struct served *served, struct astshm_snapshot **head, struct astshm_error *error);

/* The same for the history. */
int served_history(struct served *served, struct astshm_history **history,
		   struct astshm_error *error);

#endif
