/* SPDX-License-Identifier: MIT */
/* /live/device/...: devices of a track, by their number among its devices. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "apply.h"

/* More parameters than any device has: the list is padded up to the one that is set. */
#define PARAMETERS_MAX 4096

/* Where the n-th device is or, beyond them, where the next one belongs. */
static size_t device_position(const struct node *track, int64_t n)
{
	const struct node *device = tree_device(track, n);
	size_t end = 0;

	if (device)
		return device->position;
	while (end < track->child_count && track->children[end]->type == NODE_DEVICE)
		end++;
	return end;
}

static struct node *make_device(const struct event_call *call)
{
	struct node *device = node_create(NODE_DEVICE);

	if (!device)
		return NULL;
	snprintf(device->id, sizeof device->id, "device_%" PRId64 "_%" PRId64 "_%" PRId32,
		 call->values[0].integer, call->values[1].integer, call->event->sequence);
	if (value_map_set(&device->attributes, "name", value_text(call->values[2].text)) == 0 &&
	    value_map_set(&device->attributes, "device_type", value_text("unknown")) == 0 &&
	    value_map_set(&device->attributes, "is_enabled", value_boolean(true)) == 0)
		return device;
	node_destroy(device);
	return NULL;
}

static struct json_out *begin_change(struct update *update, const struct event_call *call,
				     const struct node *device, const char *type)
{
	update_begin(update);
	return update_change(update, type, device, "tracks[%" PRId64 "].devices[%" PRId64 "]",
			     call->values[0].integer, call->values[1].integer);
}

enum event_result handle_device_added(struct ast_server *server, const struct event_call *call)
{
	struct node *track = apply_track(server, call->values[0].integer);
	struct update *update = &server->update;

	if (!track || call->values[1].integer < 0)
		return EVENT_NO_TARGET;
	struct node *device = make_device(call);
	if (!device || tree_insert(server->project.tree, track,
				   device_position(track, call->values[1].integer), device) < 0) {
		node_destroy(device);
		return apply_fail_memory(server, call->event);
	}
	update_field(begin_change(update, call, device, "added"), "new_value", "name",
		     value_map_get(&device->attributes, "name"));
	update_end_change(update, call->event->sequence);
	update_added(update, device);
	return apply_send(server);
}

static struct node *find_device(struct ast_server *server, const struct event_call *call)
{
	struct node *track = apply_track(server, call->values[0].integer);

	return track ? tree_device(track, call->values[1].integer) : NULL;
}

enum event_result handle_device_deleted(struct ast_server *server, const struct event_call *call)
{
	struct node *device = find_device(server, call);
	struct update *update = &server->update;

	if (!device)
		return EVENT_NO_TARGET;
	update_field(begin_change(update, call, device, "removed"), "value", "name",
		     value_map_get(&device->attributes, "name"));
	update_end_change(update, call->event->sequence);
	update_removed(update, device);
	tree_remove(server->project.tree, device);
	return apply_send(server);
}

/* --- parameters ------------------------------------------------------------ */

static int add_unknown(struct value_list *parameters)
{
	struct value parameter = value_map();

	if (!value_is_whole(&parameter))
		return -ENOMEM;
	int result = value_map_set(parameter.map, "value", value_integer(0));
	if (result == 0)
		result = value_map_set(parameter.map, "name", value_text("Unknown"));
	if (result == 0)
		return value_list_add(parameters, parameter);
	value_fini(&parameter);
	return result;
}

/* -ENOMEM; the list is then as it was. */
static int pad(struct value_list *parameters, size_t count)
{
	size_t before = parameters->count;
	int result = 0;

	while (result == 0 && parameters->count < count)
		result = add_unknown(parameters);
	if (result < 0)
		value_list_cut(parameters, before);
	return result;
}

/* The device's list, of at least `count`; made if it has none. NULL: no memory. */
static struct value_list *parameters_of(struct ast_server *server, struct node *device,
					size_t count)
{
	struct value *old = value_map_get(&device->attributes, "parameters");

	if (old && old->kind == VALUE_LIST)
		return pad(old->list, count) < 0 ? NULL : old->list;
	struct value made = value_list();
	struct value_list *list = made.list;
	if (!list || pad(list, count) < 0) {
		value_fini(&made);
		return NULL;
	}
	if (tree_set(server->project.tree, device, "parameters", made) < 0)
		return NULL;
	return list;
}

static int set_parameter(struct ast_server *server, struct node *device, size_t at, double number)
{
	struct value_list *parameters = parameters_of(server, device, at + 1);

	if (!parameters)
		return -ENOMEM;
	/* Every parameter has a value already: takes its place, and cannot fail. */
	value_map_set(parameters->items[at].map, "value", value_number(number));
	tree_touch(server->project.tree, device);
	return 0;
}

static void write_parameter(struct update *update, const struct event_call *call,
			    const struct node *device)
{
	int64_t at = call->values[2].integer;
	double number = call->values[3].number;

	update_begin(update);
	struct json_out *out = update_change(
		update, "state_changed", device,
		"tracks[%" PRId64 "].devices[%" PRId64 "].parameters[%" PRId64 "]",
		call->values[0].integer, call->values[1].integer, at);
	json_out_key(out, "attribute");
	json_out_text(out, "value");
	json_out_key(out, "value");
	json_out_number(out, number);
	json_out_key(out, "param_index");
	json_out_integer(out, at);
	json_out_key(out, "new_value");
	json_out_number(out, number);
	update_end_change(update, call->event->sequence);
	update_modified(update, device);
}

enum event_result handle_device_param(struct ast_server *server, const struct event_call *call)
{
	struct node *device = find_device(server, call);
	struct debounce_key key = { .node = device, .parameter = call->values[2].integer };

	if (!device || key.parameter < 0 || key.parameter >= PARAMETERS_MAX)
		return EVENT_NO_TARGET;
	if (set_parameter(server, device, (size_t)key.parameter, call->values[3].number) < 0)
		return apply_fail_memory(server, call->event);
	write_parameter(&server->update, call, device);
	return apply_hold(server, &key);
}
