/* SPDX-License-Identifier: MIT */
/*
 * The Live Set that is served: its tree, and what clients are told of it as a
 * whole. The event thread's own, but for loading, which touches nothing here.
 */
#ifndef SERVER_PROJECT_H
#define SERVER_PROJECT_H

#include "cache.h"
#include "load.h"
#include "message.h"
#include "metrics.h"
#include "tree.h"

struct ast_server;

struct project {
	struct tree *tree;   /* NULL before the first load */
	char *path;          /* as given; NULL: unknown */
	struct cache *cache;
	struct message *full; /* the last FULL_AST; NULL: none was asked for */
	uint64_t full_changes; /* tree_changes() then */
	uint64_t counted_population; /* tree_population() when ast.nodes was set */
	struct cache_statistics counted_lookups; /* what cache.* have been told */
};

/* -ENOMEM. */
int project_init(struct project *project, size_t cache_capacity);
void project_fini(struct project *project);

/* Records what was looked up and how many nodes there are, as far as that changed. */
void project_record(struct ast_server *server);

/* FULL_AST, or the ERROR that stands for it before a load; NULL: no memory. */
struct message *project_full(struct ast_server *server);

/*
 * Makes `root`, which is taken over, the project of `path`. The first time
 * all clients are sent FULL_AST, later what differs. False: no memory, and the
 * project stays as it was.
 */
bool project_install(struct ast_server *server, struct node *root, const char *path);

#endif
