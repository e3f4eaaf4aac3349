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
	const struct tree *previous; /* load_file: what load_finish is given; else not used */
	/*
	 * Asked with `context` every 64 KiB and every 1024 nodes; true ends loading.
	 * It must be quick and not block. NULL: nobody is asked.
	 */
	bool (*stop)(void *context);
	void *context;
	uint64_t document_bytes; /* of XML, decompressed; 0: LOAD_DOCUMENT_BYTES */
	uint32_t depth;          /* of elements, at most LOAD_DEPTH; 0: LOAD_DEPTH */
	uint64_t items;          /* nodes, parameters and sends; 0: LOAD_ITEMS */
};

/*
 * The slow part: reads the file into a project that is in no tree, with scenes
 * and slots without ids; node_destroy frees it. Uses nothing that is shared, so
 * that any thread may load while another changes a tree. `options` may be NULL.
 * *root is set only on success. -ENOENT and other errno values of open() and
 * read(), -EISDIR: no regular file, -EINVAL: neither .als nor .xml, -EBADMSG:
 * not what it should be, -EFBIG: a limit, -ECANCELED: `stop` said so, -ENOMEM; `error`
 * then says all, with the path and the line.
 */
int load_root(struct node **root, const char *path, const struct load_options *options,
	      char error[LOAD_ERROR_MAX]);
/*
 * The quick part, for the thread that owns `previous` (or NULL): scenes take
 * over the ids they have there by index, slots by track and scene, others are
 * drawn. -ENOMEM: the root stays the caller's.
 */
int load_finish(struct tree **tree, struct node *root, const struct tree *previous);
/* Both. Fails as load_root does. */
int load_file(struct tree **tree, const char *path, const struct load_options *options,
	      char error[LOAD_ERROR_MAX]);

#endif
