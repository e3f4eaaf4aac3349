/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "diff.h"
#include "envelope.h"
#include "project.h"
#include "serialize.h"
#include "server.h"

int project_init(struct project *project, size_t cache_capacity)
{
	*project = (struct project){ 0 };
	return cache_create(&project->cache, cache_capacity);
}

void project_fini(struct project *project)
{
	message_release(project->full);
	cache_destroy(&project->cache);
	tree_destroy(&project->tree);
	free(project->path);
	*project = (struct project){ 0 };
}

/* --- metrics ---------------------------------------------------------- */

static void record_lookups(struct project *project, const struct server_metrics *metrics)
{
	const struct cache_statistics *now = cache_statistics(project->cache);
	struct cache_statistics *counted = &project->counted_lookups;

	if (now->hits == counted->hits && now->misses == counted->misses)
		return;
	astshm_counter_add(metrics->cache_hit, now->hits - counted->hits);
	astshm_counter_add(metrics->cache_miss, now->misses - counted->misses);
	astshm_gauge_set(metrics->cache_hit_rate, cache_hit_rate(project->cache));
	*counted = *now;
}

static void record_nodes(struct project *project, const struct server_metrics *metrics)
{
	project->counted_population = tree_population(project->tree);
	for (int type = 0; type < METRICS_NODE_TYPES; type++) {
		const struct node_list *list = tree_of_type(project->tree, (enum node_type)type);

		astshm_gauge_set(metrics->nodes[type], (double)list->count);
	}
}

void project_record(struct ast_server *server)
{
	struct project *project = &server->project;

	record_lookups(project, &server->metrics);
	if (project->counted_population != tree_population(project->tree))
		record_nodes(project, &server->metrics);
}

/* --- the whole --------------------------------------------------------- */

static void write_full(struct json_out *out, const struct project *project)
{
	envelope_begin(out, "FULL_AST");
	json_out_begin_object(out);
	json_out_key(out, "ast");
	serialize_node(out, project->tree, tree_root(project->tree), SERIALIZE_WEBSOCKET);
	if (project->path) {
		json_out_key(out, "project_path");
		json_out_text(out, project->path);
	}
	json_out_end_object(out);
	envelope_end(out);
}

static void renew_full(struct ast_server *server)
{
	struct project *project = &server->project;
	struct json_out out;
	struct astshm_timer timer = astshm_timer_start();

	json_out_init(&out, 0);
	write_full(&out, project);
	message_release(project->full);
	project->full = message_of_json(&out);
	project->full_changes = tree_changes(project->tree);
	json_out_fini(&out);
	astshm_timer_stop(server->metrics.serialize, timer);
}

/* A hundred clients that come at once share one text. */
struct message *project_full(struct ast_server *server)
{
	struct project *project = &server->project;

	if (!project->tree)
		return envelope_error("No AST loaded", "The server has not loaded an AST yet. "
						       "Please load a project.");
	if (!project->full || project->full_changes != tree_changes(project->tree))
		renew_full(server);
	return project->full ? message_hold(project->full) : NULL;
}

/* --- loading ------------------------------------------------------------ */

/* Change objects stand in `changes` and, by their kind, in one of the lists. */
static void write_changes(struct json_out *out, const char *key,
			  const struct change_list *changes, int kind)
{
	json_out_key(out, key);
	json_out_begin_array(out);
	for (size_t i = 0; i < changes->count; i++) {
		if (kind < 0 || (int)changes->items[i].kind == kind)
			change_write(out, &changes->items[i]);
	}
	json_out_end_array(out);
}

static struct message *diff_message(const struct change_list *changes)
{
	struct json_out out;

	json_out_init(&out, 0);
	envelope_begin(&out, "DIFF_UPDATE");
	json_out_begin_object(&out);
	json_out_key(&out, "diff");
	json_out_begin_object(&out);
	write_changes(&out, "changes", changes, -1);
	write_changes(&out, "added", changes, CHANGE_ADDED);
	write_changes(&out, "removed", changes, CHANGE_REMOVED);
	write_changes(&out, "modified", changes, CHANGE_MODIFIED);
	json_out_key(&out, "unchanged");
	json_out_begin_array(&out);
	json_out_end_array(&out);
	json_out_end_object(&out);
	json_out_end_object(&out);
	envelope_end(&out);
	struct message *message = message_of_json(&out);
	json_out_fini(&out);
	return message;
}

/* Without memory for the comparison clients are told everything instead. */
static void announce_diff(struct ast_server *server, struct tree *before)
{
	struct astshm_timer timer = astshm_timer_start();
	struct change_list changes;
	int result = diff_trees(before, server->project.tree, &changes);

	astshm_timer_stop(server->metrics.compute_diff, timer);
	if (result < 0) {
		ast_server_broadcast(server, project_full(server));
		return;
	}
	log_write(LOG_INFO, "reloaded %s: %zu changes", server->project.path, changes.count);
	if (changes.count > 0)
		ast_server_broadcast(server, diff_message(&changes));
	change_list_fini(&changes);
}

static void announce(struct ast_server *server, struct tree *before)
{
	if (before) {
		announce_diff(server, before);
		return;
	}
	log_write(LOG_INFO, "loaded %s: %zu tracks, %zu scenes", server->project.path,
		  tree_of_type(server->project.tree, NODE_TRACK)->count,
		  tree_of_type(server->project.tree, NODE_SCENE)->count);
	ast_server_broadcast(server, project_full(server));
}

static void replace(struct project *project, struct tree *tree, char *path)
{
	cache_forget(project->cache);
	message_release(project->full);
	project->full = NULL;
	free(project->path);
	project->path = path;
	project->tree = tree;
}

/*
 * A whole tree and its text are gone by now, and what clients' queues held in a flood before.
 * glibc gives back the top of a heap alone, which a small piece may hold for as long as the
 * server lives.
 */
static void give_memory_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

bool project_install(struct ast_server *server, struct node *root, const char *path)
{
	struct tree *before = server->project.tree, *after;
	char *copy = strdup(path);

	if (!copy || load_finish(&after, root, before) < 0) {
		node_destroy(root);
		free(copy);
		return false;
	}
	debounce_clear(&server->debounce);
	replace(&server->project, after, copy);
	record_nodes(&server->project, &server->metrics);
	announce(server, before);
	tree_destroy(&before);
	give_memory_back();
	return true;
}
