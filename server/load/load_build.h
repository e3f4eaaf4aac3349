/* SPDX-License-Identifier: MIT */
/*
 * Nodes out of skeletons. The first failure is kept and ends all work, so that
 * the steps in between need no checks; what a step is given is then freed.
 */
#ifndef SERVER_LOAD_BUILD_H
#define SERVER_LOAD_BUILD_H

#include "load.h"
#include "load_skeleton.h"

struct load_build {
	struct node_list tracks; /* nodes in no tree: these lists own them */
	struct node_list scenes;
	struct node_list file_refs;
	struct node *master; /* of a MasterTrack */
	struct node *main;   /* of a MainTrack, which Live 12 writes in its place */
	uint64_t items_left; /* nodes, parameters and sends that may still be made */
	const struct load_options *options;
	int result;          /* 0, -EFBIG, -ECANCELED, -ENOMEM */
};

/* The options must outlive the build. */
void load_build_init(struct load_build *build, const struct load_options *options);
void load_build_fini(struct load_build *build);

/* Makes what the part holds: tracks, scenes, file references, at any depth in it. */
void load_build_part(struct load_build *build, const struct load_skeleton *part);
/* The project, as a root in no tree; ids of scenes and slots are blank. Returns build->result. */
int load_build_finish(struct load_build *build, struct node **root);

/* --- for the parts of the builder ------------------------------------- */

/* Takes one item off the budget; false: none is left, or loading is to stop. */
bool load_build_spend(struct load_build *build);
/* NULL after a failure; the functions below take that. */
struct node *load_build_node(struct load_build *build, enum node_type type);
void load_build_put(struct load_build *build, struct node *node, const char *key,
		    struct value value);
void load_build_field(struct load_build *build, struct value *map, const char *key,
		      struct value value);
void load_build_item(struct load_build *build, struct value *list, struct value item);
void load_build_append(struct load_build *build, struct node *parent, struct node *child);
void load_build_keep(struct load_build *build, struct node_list *list, struct node *node);

/* A track of type `type` whose element is `element`, with all below but for its numbers. */
struct node *load_build_track(struct load_build *build, const struct load_skeleton *part,
			      uint32_t element, const char *type, const char *default_name);
/* Without anything below. */
struct node *load_build_bare_track(struct load_build *build, struct value name,
				   struct value color, const char *type);
/* Devices of the chain, in their order. */
void load_build_devices(struct load_build *build, const struct load_skeleton *part,
			uint32_t chain, struct node *track);
/* The slots of the track's first ClipSlotList, with their clips. */
void load_build_slots(struct load_build *build, const struct load_skeleton *part,
		      uint32_t element, struct node *track);
struct node *load_build_empty_slot(struct load_build *build, int64_t scene_index);
/* Ids and index attributes of a track and what is below it. */
void load_build_number(struct load_build *build, struct node *track, size_t index);

#endif
