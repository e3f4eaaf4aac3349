/* SPDX-License-Identifier: MIT */
/*
 * The file that has the name a new segment wants.
 */
#ifndef SHM_PREDECESSOR_H
#define SHM_PREDECESSOR_H

#include "segment.h"

/*
 * Moves a dead segment out of the way: to NAME~1, older ones to NAME~2 and so on
 * up to `keep`, the oldest removed; with keep 0 it is removed itself.
 *
 * 0: the name may be free now, start over. -EBUSY: a writer has it (its pid in
 * the text). -EAGAIN: some other lock is in the way (told as -EBUSY in *error),
 * as that of another process that is doing the same. -EEXIST, -EISDIR, -ELOOP, -EACCES, ...:
 * what is there is no segment, or not ours to move; it was not touched.
 */
int shm_predecessor_clear(const char *path, uint32_t keep, struct astshm_error *error);

#endif
