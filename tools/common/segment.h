/* SPDX-License-Identifier: MIT */
/*
 * The argument SEGMENT, as all tools take it, and what they say where it leads
 * to nothing.
 */
#ifndef TOOLS_SEGMENT_H
#define TOOLS_SEGMENT_H

#include <stdint.h>

#include <astshm/reader.h>

#include "message.h"

/*
 * The path of the only segment whose writer is alive, to be freed by the caller.
 * -ENOENT: there is none; -ENOTUNIQ: there are several; else *error says what.
 */
int segment_find_only(char **path, struct astshm_error *error);

/*
 * Opens what `argument` names, or without one (NULL) the only live segment; waits
 * up to `wait_ns` for one that is not there. *name becomes what it is called by
 * from then on, to be freed by the caller. Has told why if it is not EXIT_OK.
 */
enum exit_status segment_attach(struct astshm_reader **reader, char **name,
				const char *argument, int64_t wait_ns);

/* Opens it once; as segment_attach, but tells nothing. */
int segment_open(struct astshm_reader **reader, char **name, const char *argument,
		 struct astshm_error *error);

/*
 * One line on stderr for an error of the library, led by `argument` (NULL: none)
 * where its text does not speak of it; gives the exit status for it.
 */
enum exit_status segment_report(const char *argument, int result,
				const struct astshm_error *error);

/* Nothing was named and not exactly one segment is live: shows what there is. */
enum exit_status segment_report_choice(void);

#endif
