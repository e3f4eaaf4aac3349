/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "load_build.h"
#include "load_read.h"

/* EffectiveName, else UserName, else the default; an empty one counts only as the last. */
static struct value track_name(const struct load_skeleton *part, uint32_t track,
			       const char *otherwise)
{
	uint32_t name = load_first_path(part, track, WORD_NAME, WORD_EFFECTIVE_NAME);
	const char *text = load_value(part, name);

	if (!text || text[0] == '\0')
		name = load_first_path(part, track, WORD_NAME, WORD_USER_NAME);
	return load_text(part, name, otherwise);
}

static struct value number_at(const struct load_skeleton *part, uint32_t above,
			      enum load_word parent, double otherwise)
{
	return load_number(part, load_first_path(part, above, parent, WORD_MANUAL), otherwise);
}

static struct value flag_at(const struct load_skeleton *part, uint32_t above,
			    enum load_word parent)
{
	uint32_t manual = load_first_path(part, above, parent, WORD_MANUAL);

	return value_boolean(load_flag(part, manual, false));
}

static struct value make_send(struct load_build *build, const struct load_skeleton *part,
			      uint32_t holder, int64_t index)
{
	const char *on = load_value(part, load_first(part, holder, WORD_ON));
	struct value fields = value_map();

	load_build_field(build, &fields, "index", value_integer(index));
	load_build_field(build, &fields, "level",
			 load_number(part, load_first(part, holder, WORD_MANUAL), 0.0));
	load_build_field(build, &fields, "is_active",
			 value_boolean(!on || strcasecmp(on, "true") == 0));
	return fields;
}

static struct value sends(struct load_build *build, const struct load_skeleton *part,
			  uint32_t mixer)
{
	struct value list = value_list();
	uint32_t each = load_first(part, mixer, WORD_SENDS);
	int64_t index = 0;

	for (; each != NO_ELEMENT; each = load_next(part, mixer, each, WORD_SENDS)) {
		uint32_t holder = load_child(part, each, WORD_TRACK_SEND_HOLDER);

		for (; holder != NO_ELEMENT && load_build_spend(build); index++) {
			load_build_item(build, &list, make_send(build, part, holder, index));
			holder = load_next_child(part, each, holder, WORD_TRACK_SEND_HOLDER);
		}
	}
	return list;
}

static const char *crossfader(const struct load_skeleton *part, uint32_t mixer)
{
	uint32_t found = load_first_path(part, mixer, WORD_SPEAKER, WORD_CROSSFADER);
	int64_t side = load_integer(part, found, 1).integer;

	return side == 0 ? "A" : side == 2 ? "B" : "None";
}

static void add_mixer(struct load_build *build, const struct load_skeleton *part,
		      uint32_t element, struct node *track)
{
	uint32_t mixer = load_first_path(part, element, WORD_DEVICE_CHAIN, WORD_MIXER);

	if (mixer == NO_ELEMENT)
		return;
	struct node *node = load_build_node(build, NODE_MIXER);
	load_build_put(build, node, "volume", number_at(part, mixer, WORD_VOLUME, 1.0));
	load_build_put(build, node, "pan", number_at(part, mixer, WORD_PAN, 0.0));
	load_build_put(build, node, "is_muted", flag_at(part, element, WORD_TRACK_MUTE));
	load_build_put(build, node, "is_soloed", flag_at(part, element, WORD_SOLO));
	load_build_put(build, node, "crossfader", value_text(crossfader(part, mixer)));
	load_build_put(build, node, "sends", sends(build, part, mixer));
	load_build_append(build, track, node);
}

struct node *load_build_track(struct load_build *build, const struct load_skeleton *part,
			      uint32_t element, const char *type, const char *default_name)
{
	struct node *track = load_build_bare_track(
		build, track_name(part, element, default_name),
		load_color(part, load_first(part, element, WORD_COLOR)), type);

	load_build_devices(build, part, load_first(part, element, WORD_DEVICE_CHAIN), track);
	if (strcmp(type, "track") == 0)
		load_build_slots(build, part, element, track);
	add_mixer(build, part, element, track);
	return track;
}

struct node *load_build_bare_track(struct load_build *build, struct value name,
				   struct value color, const char *type)
{
	struct node *track = load_build_node(build, NODE_TRACK);

	load_build_put(build, track, "name", name);
	load_build_put(build, track, "index", value_integer(0));
	load_build_put(build, track, "color", color);
	load_build_put(build, track, "is_muted", value_boolean(false));
	load_build_put(build, track, "is_soloed", value_boolean(false));
	load_build_put(build, track, "is_frozen", value_boolean(false));
	load_build_put(build, track, "type", value_text(type));
	return track;
}

static void number_clip(struct node *slot, size_t track, int64_t scene)
{
	for (size_t i = 0; i < slot->child_count; i++)
		snprintf(slot->children[i]->id, NODE_ID_MAX, "clip_%zu_%lld", track,
			 (long long)scene);
}

void load_build_number(struct load_build *build, struct node *track, size_t index)
{
	for (size_t i = 0; i < track->child_count; i++) {
		struct node *child = track->children[i];

		if (child->type == NODE_CLIP_SLOT) {
			load_build_put(build, child, "track_index", value_integer((int64_t)index));
			number_clip(child, index, node_integer(child, "scene_index", 0));
		} else if (child->type == NODE_DEVICE) {
			snprintf(child->id, NODE_ID_MAX, "device_%zu_%zu", index, i);
		} else {
			snprintf(child->id, NODE_ID_MAX, "mixer_%zu", index);
		}
	}
	load_build_put(build, track, "index", value_integer((int64_t)index));
	snprintf(track->id, NODE_ID_MAX, "track_%zu", index);
}
