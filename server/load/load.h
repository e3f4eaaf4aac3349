/* SPDX-License-Identifier: MIT */
/*
 * Live Sets (.als, .xml) into trees. The document streams through zlib and
 * expat; of a track what the tree needs is kept until the track ends.
 */
#ifndef SERVER_LOAD_H
#define SERVER_LOAD_H

#include "tree.h"

#define LOAD_ERROR_MAX 1024u

/* Far above real sets: the largest seen has 40 MB of XML, 9000 nodes, depth 40. */
#define LOAD_DOCUMENT_BYTES (UINT64_C(1) << 30)
#define LOAD_DEPTH 512u
#define LOAD_ITEMS (UINT64_C(1) << 20)

struct load_options {
	/* Scenes (by index) and slots (by track and scene) take their ids from here; or NULL. */
	const struct tree *previous;
	uint64_t document_bytes; /* of XML, decompressed; 0: LOAD_DOCUMENT_BYTES */
	uint32_t depth;          /* of elements, at most LOAD_DEPTH; 0: LOAD_DEPTH */
	uint64_t items;          /* nodes, parameters and sends; 0: LOAD_ITEMS */
};

/*
 * *tree is set only on success. -ENOENT and other errno values of open() and
 * read(), -EISDIR: no regular file, -EINVAL: neither .als nor .xml, -EBADMSG:
 * not what it should be, -EFBIG: a limit, -ENOMEM; `error` then says all, with
 * the path and the line. `options` may be NULL.
 */
int load_file(struct tree **tree, const char *path, const struct load_options *options,
	      char error[LOAD_ERROR_MAX]);

#endif
