/* SPDX-License-Identifier: MIT */
/* Nodes as JSON. */
#ifndef SERVER_SERIALIZE_H
#define SERVER_SERIALIZE_H

#include "json_out.h"
#include "tree.h"

enum serialize_form {
	/* {node_type, id, attributes, children, hash}; children always there */
	SERIALIZE_QUERY,
	/* {node_type, id, hash, attributes, children}; no children, no field */
	SERIALIZE_WEBSOCKET,
};

/* With everything below it; brings the hashes up to date. */
void serialize_node(struct json_out *out, struct tree *tree, struct node *node,
		    enum serialize_form form);
/* An array of those. */
void serialize_list(struct json_out *out, struct tree *tree, const struct node_list *list,
		    enum serialize_form form);

#endif
