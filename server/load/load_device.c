/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "load_build.h"
#include "load_read.h"

static struct value device_name(const struct load_skeleton *part, uint32_t device)
{
	const char *tag = load_word_name(part->elements[device].word);
	const char *user = load_value(part, load_first(part, device, WORD_USER_NAME));
	uint32_t effective = load_first(part, device, WORD_EFFECTIVE_NAME);

	if (user && user[0] != '\0')
		return value_text(user);
	return effective == NO_ELEMENT ? value_text(tag) : load_text(part, effective, tag);
}

static bool is_enabled(const struct load_skeleton *part, uint32_t device)
{
	uint32_t on = load_child(part, device, WORD_ON);

	return load_flag(part, load_child(part, on, WORD_MANUAL), true);
}

static bool is_plugin(uint8_t word)
{
	return word == WORD_PLUGIN || word == WORD_AU_PLUGIN || word == WORD_VST3_PLUGIN;
}

static void add_info(struct load_build *build, struct value *info,
		     const struct load_skeleton *part, uint32_t from, enum load_word name,
		     const char *maker_key, enum load_word maker)
{
	load_build_field(build, info, "plugin_name",
			 load_text(part, load_child(part, from, name), ""));
	load_build_field(build, info, maker_key,
			 load_text(part, load_child(part, from, maker), ""));
}

static struct value plugin_info(struct load_build *build, const struct load_skeleton *part,
				uint32_t device)
{
	struct value info = value_map();

	if (!is_plugin(part->elements[device].word))
		return info;
	uint32_t desc = load_first(part, device, WORD_PLUGIN_DESC);
	uint32_t vst = load_first(part, desc, WORD_VST_PLUGIN_INFO);
	uint32_t au = load_first(part, desc, WORD_AU_PLUGIN_INFO);
	if (vst != NO_ELEMENT)
		add_info(build, &info, part, vst, WORD_PLUG_NAME, "plugin_vendor",
			 WORD_VENDOR_NAME);
	else if (au != NO_ELEMENT)
		add_info(build, &info, part, au, WORD_NAME, "plugin_manufacturer",
			 WORD_MANUFACTURER);
	return info;
}

static struct value parameter(struct load_build *build, const struct load_skeleton *part,
			      uint32_t element, uint32_t manual)
{
	bool is_float = part->elements[element].word == WORD_FLOAT_PARAMETER;
	const char *id = load_label(part, element);
	struct value fields = value_map();
	char *name;

	if (asprintf(&name, "Param %s", id ? id : "") < 0)
		name = NULL;
	load_build_field(build, &fields, "id", value_text(id ? id : ""));
	load_build_field(build, &fields, "name", (struct value){ VALUE_TEXT, { .text = name } });
	load_build_field(build, &fields, "value", is_float ? load_number(part, manual, 0.0)
							   : load_integer(part, manual, 0));
	load_build_field(build, &fields, "type", value_text(is_float ? "float" : "enum"));
	return fields;
}

static void add_parameters(struct load_build *build, const struct load_skeleton *part,
			   uint32_t device, enum load_word word, struct value *list)
{
	uint32_t at = load_first(part, device, word);

	for (; at != NO_ELEMENT && build->result == 0; at = load_next(part, device, at, word)) {
		uint32_t manual = load_child(part, at, WORD_MANUAL);

		if (manual != NO_ELEMENT && load_build_spend(build))
			load_build_item(build, list, parameter(build, part, at, manual));
	}
}

static struct value parameters(struct load_build *build, const struct load_skeleton *part,
			       uint32_t device)
{
	struct value list = value_list();

	if (is_plugin(part->elements[device].word)) {
		add_parameters(build, part, device, WORD_FLOAT_PARAMETER, &list);
		add_parameters(build, part, device, WORD_ENUM_PARAMETER, &list);
	}
	return list;
}

static void add_device(struct load_build *build, const struct load_skeleton *part,
		       uint32_t element, struct node *track)
{
	struct node *device = load_build_node(build, NODE_DEVICE);
	const char *type = load_word_device_type(part->elements[element].word);

	load_build_put(build, device, "name", device_name(part, element));
	load_build_put(build, device, "device_type", value_text(type));
	load_build_put(build, device, "is_enabled", value_boolean(is_enabled(part, element)));
	load_build_put(build, device, "plugin_info", plugin_info(build, part, element));
	load_build_put(build, device, "parameters", parameters(build, part, element));
	load_build_append(build, track, device);
}

/* How many devices of each word the chain holds, as places behind those of earlier words. */
static size_t count_devices(const struct load_skeleton *part, uint32_t chain,
			    size_t places[WORD_DEVICES_END + 1])
{
	for (uint32_t i = chain + 1; i < part->elements[chain].end; i++) {
		uint8_t word = part->elements[i].word;

		if (word >= WORD_DEVICES && word < WORD_DEVICES_END)
			places[word + 1]++;
	}
	for (size_t i = WORD_DEVICES; i < WORD_DEVICES_END; i++)
		places[i + 1] += places[i];
	return places[WORD_DEVICES_END];
}

void load_build_devices(struct load_build *build, const struct load_skeleton *part,
			uint32_t chain, struct node *track)
{
	size_t places[WORD_DEVICES_END + 1] = { 0 };

	if (chain == NO_ELEMENT || build->result < 0)
		return;
	size_t count = count_devices(part, chain, places);
	uint32_t *sorted = reallocarray(NULL, count + 1, sizeof *sorted);
	if (!sorted) {
		build->result = -ENOMEM;
		return;
	}
	for (uint32_t i = chain + 1; i < part->elements[chain].end; i++) {
		uint8_t word = part->elements[i].word;

		if (word >= WORD_DEVICES && word < WORD_DEVICES_END)
			sorted[places[word]++] = i;
	}
	for (size_t i = 0; i < count && build->result == 0; i++)
		add_device(build, part, sorted[i], track);
	free(sorted);
}
