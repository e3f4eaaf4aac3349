/* SPDX-License-Identifier: MIT */
/* What differs between two trees, children paired by their ids. */
#ifndef SERVER_DIFF_H
#define SERVER_DIFF_H

#include "json_out.h"
#include "load.h"
#include "tree.h"

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_MODIFIED };

/* Points into both trees. */
struct change {
	enum change_kind kind;
	const struct node *before; /* NULL: added */
	const struct node *after;  /* NULL: removed */
};

struct change_list {
	struct change *items;
	size_t count;
	size_t capacity;
};

/*
 * Brings the hashes of both up to date and compares. A node that came or went is
 * one change, whatever is below it. -ENOMEM.
 */
int diff_trees(struct tree *before, struct tree *after, struct change_list *changes);
void change_list_fini(struct change_list *changes);
/* {type, path, node_type, old_value, new_value} */
void change_write(struct json_out *out, const struct change *change);

/*
 * Loads `path` with scenes and slots under the ids they have in `tree`, and
 * compares. *loaded is the file's tree, which the changes point into. -ENODATA:
 * no tree; else as load_file, with the reason in `error`.
 */
int diff_with_file(struct tree *tree, const char *path, struct tree **loaded,
		   struct change_list *changes, char error[LOAD_ERROR_MAX]);

#endif
