/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "load_build.h"
#include "load_read.h"

static struct value clip_name(const struct load_skeleton *part, uint32_t clip)
{
	uint32_t name = load_child(part, clip, WORD_NAME);
	const char *user = load_value(part, load_child(part, name, WORD_USER_NAME));

	if (user && user[0] != '\0')
		return value_text(user);
	return load_text(part, load_child(part, name, WORD_EFFECTIVE_NAME), "");
}

/* Elements under `parent` that the path leads to, child by child. */
static int64_t count_path(const struct load_skeleton *part, uint32_t parent,
			  const enum load_word *path, size_t steps)
{
	int64_t count = 0;
	uint32_t at = load_child(part, parent, path[0]);

	for (; at != NO_ELEMENT; at = load_next_child(part, parent, at, path[0]))
		count += steps == 1 ? 1 : count_path(part, at, path + 1, steps - 1);
	return count;
}

static void put_midi(struct load_build *build, struct node *clip,
		     const struct load_skeleton *part, uint32_t element)
{
	static const enum load_word path[] = { WORD_KEY_TRACKS, WORD_KEY_TRACK, WORD_NOTES,
					       WORD_MIDI_NOTE_EVENT };
	uint32_t notes = load_first(part, element, WORD_NOTES);
	int64_t count = count_path(part, notes, path, sizeof path / sizeof path[0]);

	load_build_put(build, clip, "note_count", value_integer(count));
	load_build_put(build, clip, "has_notes", value_boolean(count > 0));
}

static const char *warp_mode(const struct load_skeleton *part, uint32_t element)
{
	static const char *const modes[] = { "Beats", "Tones", "Texture", "Re-Pitch", "Complex",
					     "Complex Pro" };
	struct value mode = load_integer(part, load_first(part, element, WORD_WARP_MODE), -1);

	if (mode.integer < 0 || mode.integer >= (int64_t)(sizeof modes / sizeof modes[0]))
		return "Unknown";
	return modes[mode.integer];
}

static void put_audio(struct load_build *build, struct node *clip,
		      const struct load_skeleton *part, uint32_t element)
{
	uint32_t sample = load_first(part, element, WORD_SAMPLE_REF);
	uint32_t file = load_child(part, sample, WORD_FILE_REF);
	uint32_t warped = load_first(part, element, WORD_IS_WARPED);

	load_build_put(build, clip, "sample_name",
		       load_text(part, load_child(part, file, WORD_NAME), ""));
	load_build_put(build, clip, "is_warped", value_boolean(load_flag(part, warped, false)));
	load_build_put(build, clip, "warp_mode", value_text(warp_mode(part, element)));
}

static void put_loop(struct load_build *build, struct node *clip,
		     const struct load_skeleton *part, uint32_t element)
{
	uint32_t loop = load_child(part, element, WORD_LOOP);

	load_build_put(build, clip, "loop_start",
		       load_number(part, load_child(part, loop, WORD_LOOP_START), 0.0));
	load_build_put(build, clip, "loop_end",
		       load_number(part, load_child(part, loop, WORD_LOOP_END), 0.0));
	load_build_put(build, clip, "is_looped",
		       value_boolean(load_flag(part, load_child(part, loop, WORD_LOOP_ON), true)));
}

static void add_clip(struct load_build *build, const struct load_skeleton *part,
		     uint32_t element, struct node *slot)
{
	struct node *clip = load_build_node(build, NODE_CLIP);
	bool midi = part->elements[element].word == WORD_MIDI_CLIP;

	load_build_put(build, clip, "name", clip_name(part, element));
	load_build_put(build, clip, "clip_type", value_text(midi ? "midi" : "audio"));
	load_build_put(build, clip, "start_time",
		       load_number(part, load_child(part, element, WORD_CURRENT_START), 0.0));
	load_build_put(build, clip, "end_time",
		       load_number(part, load_child(part, element, WORD_CURRENT_END), 0.0));
	put_loop(build, clip, part, element);
	load_build_put(build, clip, "color",
		       load_integer(part, load_child(part, element, WORD_COLOR), -1));
	load_build_put(build, clip, "view", value_text("session"));
	if (midi)
		put_midi(build, clip, part, element);
	else
		put_audio(build, clip, part, element);
	load_build_append(build, slot, clip);
}

static struct node *create_slot(struct load_build *build, int64_t scene_index, bool has_clip,
				bool has_stop, struct value color)
{
	struct node *slot = load_build_node(build, NODE_CLIP_SLOT);

	load_build_put(build, slot, "track_index", value_integer(0));
	load_build_put(build, slot, "scene_index", value_integer(scene_index));
	load_build_put(build, slot, "has_clip", value_boolean(has_clip));
	load_build_put(build, slot, "has_stop_button", value_boolean(has_stop));
	load_build_put(build, slot, "playing_status", value_integer(0));
	load_build_put(build, slot, "color", color);
	load_build_put(build, slot, "is_playing", value_boolean(false));
	load_build_put(build, slot, "is_triggered", value_boolean(false));
	return slot;
}

struct node *load_build_empty_slot(struct load_build *build, int64_t scene_index)
{
	return create_slot(build, scene_index, false, true, value_null());
}

/* The first clip, of either kind, in the slot's Value. */
static uint32_t find_clip(const struct load_skeleton *part, uint32_t slot)
{
	uint32_t value = load_child(part, slot, WORD_VALUE);
	uint32_t clip = load_next_child(part, value, NO_ELEMENT, WORDS);

	while (clip != NO_ELEMENT && part->elements[clip].word != WORD_MIDI_CLIP &&
	       part->elements[clip].word != WORD_AUDIO_CLIP)
		clip = load_next_child(part, value, clip, WORDS);
	return clip;
}

/* An outer ClipSlot holds an inner one, which has the content. */
static void add_slot(struct load_build *build, const struct load_skeleton *part,
		     uint32_t outer, int64_t scene_index, struct node *track)
{
	uint32_t inner = load_child(part, outer, WORD_CLIP_SLOT);
	uint32_t element = inner == NO_ELEMENT ? outer : inner;
	uint32_t clip = find_clip(part, element);
	bool has_stop = load_flag(part, load_child(part, element, WORD_HAS_STOP), true);
	struct value color = load_color(part, load_child(part, element, WORD_COLOR));
	struct node *slot = create_slot(build, scene_index, clip != NO_ELEMENT, has_stop, color);

	if (clip != NO_ELEMENT)
		add_clip(build, part, clip, slot);
	load_build_append(build, track, slot);
}

void load_build_slots(struct load_build *build, const struct load_skeleton *part,
		      uint32_t element, struct node *track)
{
	uint32_t list = load_first(part, element, WORD_CLIP_SLOT_LIST);
	uint32_t at = load_child(part, list, WORD_CLIP_SLOT);

	for (int64_t scene = 0; at != NO_ELEMENT && build->result == 0; scene++) {
		add_slot(build, part, at, scene, track);
		at = load_next_child(part, list, at, WORD_CLIP_SLOT);
	}
}
