/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "load_build.h"
#include "load_read.h"

/* --- failing once ----------------------------------------------------- */

static void note(struct load_build *build, int result)
{
	if (build->result == 0)
		build->result = result;
}

static bool is_stopped(const struct load_build *build)
{
	const struct load_options *options = build->options;

	return options->stop && build->items_left % 1024 == 0 && options->stop(options->context);
}

bool load_build_spend(struct load_build *build)
{
	if (is_stopped(build))
		note(build, -ECANCELED);
	if (build->items_left == 0)
		note(build, -EFBIG);
	if (build->result < 0)
		return false;
	build->items_left--;
	return true;
}

struct node *load_build_node(struct load_build *build, enum node_type type)
{
	if (!load_build_spend(build))
		return NULL;
	struct node *node = node_create(type);
	if (!node)
		note(build, -ENOMEM);
	return node;
}

void load_build_put(struct load_build *build, struct node *node, const char *key,
		    struct value value)
{
	if (!node)
		value_fini(&value);
	else
		note(build, value_map_set(&node->attributes, key, value));
}

void load_build_field(struct load_build *build, struct value *map, const char *key,
		      struct value value)
{
	if (!map->map)
		value_fini(&value);
	else
		note(build, value_map_set(map->map, key, value));
}

void load_build_item(struct load_build *build, struct value *list, struct value item)
{
	if (!list->list)
		value_fini(&item);
	else
		note(build, value_list_add(list->list, item));
}

void load_build_append(struct load_build *build, struct node *parent, struct node *child)
{
	int result = parent && child ? node_append(parent, child) : build->result;

	note(build, result);
	if (child && !child->parent)
		node_destroy(child);
}

void load_build_keep(struct load_build *build, struct node_list *list, struct node *node)
{
	int result = node ? node_list_add(list, node) : build->result;

	note(build, result);
	if (result < 0)
		node_destroy(node);
}

/* --- a part of the document ------------------------------------------- */

static void add_track(struct load_build *build, const struct load_skeleton *part,
		      uint32_t element)
{
	bool returns = part->elements[element].word == WORD_RETURN_TRACK;
	char name[32];

	snprintf(name, sizeof name, "Track %zu", build->tracks.count);
	load_build_keep(build, &build->tracks,
			load_build_track(build, part, element, returns ? "return" : "track",
					 name));
}

static void put_scene_times(struct load_build *build, struct node *scene,
			    const struct load_skeleton *part, uint32_t element)
{
	uint32_t enabled = load_first(part, element, WORD_IS_TIME_SIGNATURE_ENABLED);

	load_build_put(build, scene, "time_signature_id",
		       load_integer(part, load_first(part, element, WORD_TIME_SIGNATURE_ID), 201));
	load_build_put(build, scene, "is_time_signature_enabled",
		       value_boolean(load_flag(part, enabled, false)));
}

static void add_scene(struct load_build *build, const struct load_skeleton *part,
		      uint32_t element)
{
	struct node *scene = load_build_node(build, NODE_SCENE);
	uint32_t tempo_enabled = load_first(part, element, WORD_IS_TEMPO_ENABLED);

	load_build_put(build, scene, "name",
		       load_text(part, load_first(part, element, WORD_NAME), ""));
	load_build_put(build, scene, "index", value_integer((int64_t)build->scenes.count));
	load_build_put(build, scene, "tempo",
		       load_number(part, load_first(part, element, WORD_TEMPO), 120.0));
	load_build_put(build, scene, "color",
		       load_integer(part, load_first(part, element, WORD_COLOR), -1));
	load_build_put(build, scene, "is_tempo_enabled",
		       value_boolean(load_flag(part, tempo_enabled, false)));
	put_scene_times(build, scene, part, element);
	load_build_put(build, scene, "annotation",
		       load_text(part, load_first(part, element, WORD_ANNOTATION), ""));
	load_build_keep(build, &build->scenes, scene);
}

/* The Value of the first such element that has one. */
static const char *first_value(const struct load_skeleton *part, uint32_t above,
			       enum load_word word)
{
	uint32_t at = load_first(part, above, word);

	while (at != NO_ELEMENT && !load_value(part, at))
		at = load_next(part, above, at, word);
	return load_value(part, at);
}

static const char *either_value(const struct load_skeleton *part, uint32_t above,
				enum load_word word, enum load_word otherwise)
{
	const char *text = first_value(part, above, word);

	return text ? text : first_value(part, above, otherwise);
}

/* Bytes of the first `count` characters of well-formed UTF-8. */
static size_t characters(const char *text, size_t count)
{
	size_t bytes = 0;

	for (; text[bytes] != '\0'; bytes++) {
		if (((unsigned char)text[bytes] & 0xc0) != 0x80 && count-- == 0)
			break;
	}
	return bytes;
}

static void name_file_ref(struct node *node, const char *hash, size_t index)
{
	if (node && hash && hash[0] != '\0')
		snprintf(node->id, NODE_ID_MAX, "fileref_%.*s", (int)characters(hash, 8), hash);
	else if (node)
		snprintf(node->id, NODE_ID_MAX, "fileref_%zu", index);
}

static void add_file_ref(struct load_build *build, const struct load_skeleton *part,
			 uint32_t element)
{
	struct node *node = load_build_node(build, NODE_FILE_REF);
	const char *hash = load_value(part, load_first(part, element, WORD_HASH));
	const char *type = load_label(part, element);

	load_build_put(build, node, "name", load_text_or_null(either_value(
		part, element, WORD_ORIGINAL_FILE_NAME, WORD_NAME)));
	load_build_put(build, node, "path", load_text_or_null(either_value(
		part, element, WORD_PATH, WORD_RELATIVE_PATH)));
	load_build_put(build, node, "hash", load_text_or_null(hash));
	load_build_put(build, node, "ref_type", value_text(type ? type : "Unknown"));
	name_file_ref(node, hash, build->file_refs.count);
	load_build_keep(build, &build->file_refs, node);
}

static void add_master(struct load_build *build, const struct load_skeleton *part,
		       uint32_t element, struct node **master)
{
	if (!*master)
		*master = load_build_track(build, part, element, "master", "Master");
}

void load_build_part(struct load_build *build, const struct load_skeleton *part)
{
	for (uint32_t i = 0; i < part->count && build->result == 0; i++) {
		const struct load_element *element = &part->elements[i];

		if (element->role == ROLE_TRACK)
			add_track(build, part, i);
		else if (element->role == ROLE_SCENE)
			add_scene(build, part, i);
		if (element->word == WORD_FILE_REF)
			add_file_ref(build, part, i);
		else if (element->word == WORD_MASTER_TRACK)
			add_master(build, part, i, &build->master);
		else if (element->word == WORD_MAIN_TRACK)
			add_master(build, part, i, &build->main);
	}
}

/* --- the whole -------------------------------------------------------- */

/* Devices come first, the mixer last: where slots end. */
static size_t end_of_slots(const struct node *track)
{
	size_t end = track->child_count;

	return end > 0 && track->children[end - 1]->type == NODE_MIXER ? end - 1 : end;
}

static size_t count_slots(const struct node *track)
{
	size_t count = 0;

	for (size_t i = 0; i < track->child_count; i++)
		count += track->children[i]->type == NODE_CLIP_SLOT;
	return count;
}

/* Exactly one slot for each scene. */
static void fit_slots(struct load_build *build, struct node *track)
{
	size_t count = count_slots(track), scenes = build->scenes.count;

	for (; count > scenes; count--) {
		struct node *surplus = track->children[end_of_slots(track) - 1];

		node_detach(surplus);
		node_destroy(surplus);
	}
	for (; count < scenes && build->result == 0; count++) {
		struct node *slot = load_build_empty_slot(build, (int64_t)count);

		if (slot && node_insert(track, end_of_slots(track), slot) < 0) {
			note(build, -ENOMEM);
			node_destroy(slot);
		}
	}
}

static void fit_tracks(struct load_build *build)
{
	for (size_t i = 0; i < build->tracks.count && build->result == 0; i++) {
		struct node *track = build->tracks.items[i];

		if (strcmp(node_text(track, "type"), "track") == 0)
			fit_slots(build, track);
		load_build_number(build, track, i);
	}
}

static void finish_master(struct load_build *build)
{
	struct node **found = build->master ? &build->master : &build->main;
	struct node *master = *found;

	*found = NULL;
	if (!master)
		master = load_build_bare_track(build, value_text("Main"), value_null(), "master");
	if (master)
		load_build_number(build, master, build->tracks.count);
	load_build_keep(build, &build->tracks, master);
}

/* All of the list goes under the root, or to nowhere after a failure. */
static void hand_over(struct load_build *build, struct node *root, struct node_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		load_build_append(build, root, list->items[i]);
	list->count = 0;
}

int load_build_finish(struct load_build *build, struct node **root)
{
	struct node *project = load_build_node(build, NODE_PROJECT);

	load_build_put(build, project, "version", value_null());
	load_build_put(build, project, "creator", value_null());
	fit_tracks(build);
	finish_master(build);
	hand_over(build, project, &build->tracks);
	hand_over(build, project, &build->scenes);
	hand_over(build, project, &build->file_refs);
	if (build->result < 0) {
		node_destroy(project);
		return build->result;
	}
	/* Made, or build->result were set.
	 * NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
	strcpy(project->id, "project");
	*root = project;
	return 0;
}

void load_build_init(struct load_build *build, const struct load_options *options)
{
	*build = (struct load_build){ .items_left = options->items, .options = options };
}

static void destroy_list(struct node_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		node_destroy(list->items[i]);
	node_list_fini(list);
}

void load_build_fini(struct load_build *build)
{
	destroy_list(&build->tracks);
	destroy_list(&build->scenes);
	destroy_list(&build->file_refs);
	node_destroy(build->master);
	node_destroy(build->main);
	*build = (struct load_build){ 0 };
}
