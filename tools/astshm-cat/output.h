/* SPDX-License-Identifier: MIT */
/*
 * Where whole documents go: stdout, or a file that is replaced each time.
 */
#ifndef CAT_OUTPUT_H
#define CAT_OUTPUT_H

#include "buffer.h"
#include "message.h"

/* All bytes to stdout. -EPIPE: nobody reads it any more. */
int output_stdout(const struct buffer *document);

/*
 * Replaces `path` by the document: whoever opens it sees the old or the new
 * one whole. The file keeps its mode; a new one gets 0666 less the umask. A
 * symbolic link stays and leads to the new file. -EINVAL: the path is a
 * device, pipe or folder.
 */
int output_file(const char *path, const struct buffer *document);

/* EXIT_OK for 0; else says on stderr what could not be written (NULL: stdout). */
enum exit_status output_report(const char *path, int result);

#endif
