/* SPDX-License-Identifier: MIT */
/*
 * Questions to a tree. What a caller gets points into the tree and lives until
 * the next change; a `tree` of NULL, before any load, is -ENODATA.
 */
#ifndef SERVER_QUERY_H
#define SERVER_QUERY_H

#include "json_out.h"
#include "tree.h"

/* NULL: no such node, or no tree. */
struct node *find_node_by_id(const struct tree *tree, const char *id);
/* In pre-order; *list is the tree's own, empty for an unknown type. */
int find_nodes_by_type(const struct tree *tree, const char *type, const struct node_list **list);
/*
 * `KEY == VALUE`, by attribute, in pre-order. VALUE is compared with texts, less
 * blanks and quotes around it; without quotes also with numbers and with true,
 * false and null. Anything else finds nothing. The list is the caller's:
 * node_list_fini. -ENOMEM.
 */
int query_nodes(const struct tree *tree, const char *query, struct node_list *list);

/*
 * {file, root_hash, num_tracks, num_devices, num_clips, num_scenes,
 * num_file_refs, track_names}; `file` as given.
 */
int get_project_info(struct tree *tree, const char *file, struct json_out *out);

#endif
