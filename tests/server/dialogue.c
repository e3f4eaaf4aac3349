/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "dialogue.h"
#include "serialize.h"

enum event_result dialogue_send(struct ast_server *server, int32_t number, const char *path,
				const struct osc_value *arguments, size_t count)
{
	struct live_event event = { .path = path, .sequence = number, .arguments = arguments,
				    .count = count };

	return process_live_event(server, &event);
}

struct ast_server *dialogue_begin(const char *case_name)
{
	struct ast_server *server = fixture_create(case_name, 1);

	fixture_load(server);
	fixture_heard();
	return server;
}

/* --- expectations --------------------------------------------------------- */

static bool matches(const json_t *wanted, const json_t *got);

static bool all_match(json_t *wanted, json_t *got)
{
	const char *key;
	json_t *value;

	json_object_foreach(wanted, key, value) {
		json_t *other = json_object_get(got, key);
		if (!other || !matches(value, other))
			return false;
	}
	return json_object_size(wanted) == json_object_size(got);
}

static bool each_matches(const json_t *wanted, const json_t *got)
{
	for (size_t i = 0; i < json_array_size(wanted); i++) {
		const json_t *other = json_array_get(got, i);
		if (!other || !matches(json_array_get(wanted, i), other))
			return false;
	}
	return json_array_size(wanted) == json_array_size(got);
}

static bool matches(const json_t *wanted, const json_t *got)
{
	if (json_typeof(wanted) != json_typeof(got))
		return false;
	if (json_is_object(wanted))
		return all_match((json_t *)(uintptr_t)wanted, (json_t *)(uintptr_t)got);
	if (json_is_array(wanted))
		return each_matches(wanted, got);
	return json_equal(wanted, got) ||
	       (json_is_string(wanted) && strcmp(json_string_value(wanted), "*") == 0);
}

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, JSON_DECODE_ANY, &error);

	if (!value)
		fail_msg("%s: %s", error.text, text);
	return value;
}

__attribute__((format(printf, 1, 0)))
static char *print_quoted(const char *format, va_list arguments)
{
	char *quoted = strdup(format), *text = NULL;

	assert_non_null(quoted);
	for (char *at = quoted; (at = strchr(at, '\'')); at++)
		*at = '"';
	assert_true(vasprintf(&text, quoted, arguments) >= 0);
	free(quoted);
	return text;
}

__attribute__((format(printf, 2, 0)))
static void compare(const char *text, const char *format, va_list arguments)
{
	char *wanted_text = print_quoted(format, arguments);
	json_t *wanted = parse(wanted_text), *got = parse(text);

	if (!matches(wanted, got))
		fail_msg("%s\ninstead of\n%s", text, wanted_text);
	json_decref(wanted);
	json_decref(got);
	free(wanted_text);
}

void expect_json(const char *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	compare(text, format, arguments);
	va_end(arguments);
}

static const char *the_message(void)
{
	char *const *heard = fixture_heard();

	if (!heard[0])
		fail_msg("nothing was heard");
	if (heard[1])
		fail_msg("more than one was heard: %s, %s", heard[0], heard[1]);
	return heard[0];
}

void expect_message(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	compare(the_message(), format, arguments);
	va_end(arguments);
}

void expect_silence(void)
{
	char *const *heard = fixture_heard();

	if (heard[0])
		fail_msg("heard %s", heard[0]);
}

void expect_failure(const char *path)
{
	const char *text = the_message();
	char begin[256];

	expect_json(text, "{'type':'ERROR','payload':{'error':'Event processing error',"
			  "'details':'*'}}");
	snprintf(begin, sizeof begin, "Failed to process %s: ", path);
	if (!strstr(text, begin))
		fail_msg("%s does not say %s", text, begin);
}

void expect_attributes(const struct node *node, const char *format, ...)
{
	struct json_out out;
	va_list arguments;

	json_out_init(&out, 0);
	json_out_map(&out, &node->attributes);
	json_out_append(&out, "", 1); /* terminates it */
	assert_int_equal(json_out_result(&out), 0);
	va_start(arguments, format);
	compare(out.text, format, arguments);
	va_end(arguments);
	json_out_fini(&out);
}

/* --- the tree --------------------------------------------------------------- */

static int print_word(char *room, size_t bytes, const struct node *node)
{
	if (node->type == NODE_CLIP_SLOT)
		return snprintf(room, bytes, "slot%d ",
				(int)node_integer(node, "scene_index", -99));
	if (node->type == NODE_SCENE)
		return snprintf(room, bytes, "scene%d ", (int)node_integer(node, "index", -99));
	return snprintf(room, bytes, "%s ", node->id);
}

const char *dialogue_children(const struct node *node)
{
	static char words[4096];
	size_t used = 0;

	words[0] = '\0';
	for (size_t i = 0; i < node->child_count; i++) {
		used += (size_t)print_word(words + used, sizeof words - used, node->children[i]);
		assert_true(used < sizeof words);
	}
	words[used > 0 ? used - 1 : 0] = '\0';
	return words;
}

const char *scene_id(struct ast_server *server, int64_t index)
{
	const struct node *scene = tree_scene(server->project.tree, index);

	assert_non_null(scene);
	return scene->id;
}

const char *slot_id(struct ast_server *server, int64_t track, int64_t scene)
{
	const struct node *slot = tree_slot(tree_track(server->project.tree, track), scene);

	assert_non_null(slot);
	return slot->id;
}

char *dialogue_tree(struct ast_server *server)
{
	struct json_out out;

	json_out_init(&out, 0);
	serialize_node(&out, server->project.tree, tree_root(server->project.tree),
		       SERIALIZE_QUERY);
	json_out_append(&out, "", 1); /* terminates it */
	assert_int_equal(json_out_result(&out), 0);
	return out.text;
}
