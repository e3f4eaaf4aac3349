/* SPDX-License-Identifier: MIT */
/*
 * Where snapshots come from: attached segments and saved files.
 */
#ifndef CAT_SOURCE_H
#define CAT_SOURCE_H

#include <stddef.h>

#include <astshm/reader.h>

#include "file.h"
#include "options.h"

struct source {
	char *argument;                   /* as the user wrote it, or a listed name */
	struct astshm_reader *reader;     /* NULL: a file */
	struct astshm_snapshot *previous; /* with --delta: what the last pass saw */
	enum astshm_state noted;          /* state that stderr knows of */
	uint64_t generation;              /* of the writer last seen */
	struct skipped skipped;           /* of a file, as stderr knows */
};

struct sources {
	struct source *items;
	size_t count;
};

/*
 * Opens what the command line names, or the only live segment; waits up to
 * --wait for what is not there yet. Has told why if it is not EXIT_OK.
 */
enum exit_status sources_open(struct sources *sources, const struct options *options);
void sources_close(struct sources *sources);

/* An argument as messages have it: - is stdin. */
const char *source_shown(const char *argument);

/*
 * One pass over one source. With --delta *view is the interval since the last
 * one, or NULL if there is nothing to compare with yet. Says once on stderr
 * when a writer is not alive or was replaced by another.
 */
enum exit_status source_view(struct source *source, const struct options *options,
			     struct astshm_snapshot **view);

/* The same for what a segment's history was wanted for: EXIT_NO_HISTORY. */
enum exit_status report_history(const struct source *source, int result,
				const struct astshm_error *error);

/* Tells the error on stderr and gives the exit status for it. */
enum exit_status report(int result, const struct astshm_error *error);

#endif
