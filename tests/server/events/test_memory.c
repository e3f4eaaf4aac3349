/* SPDX-License-Identifier: MIT */
/*
 * Events while memory is short: each allocation of the server in turn fails,
 * once, and then either all is as it was and clients are told of a failure, or
 * the event took place. Linked with --wrap for the allocating functions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dialogue.h"

/* --- an allocation that fails --------------------------------------------- */

static unsigned until_failure; /* 0: none is due */

static bool fails(void)
{
	return until_failure > 0 && --until_failure == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);

/* The sanitizers' linking sees a shared library's calls as calls of these. */
#define WRAP __attribute__((visibility("default")))

WRAP void *__wrap_malloc(size_t size);
WRAP void *__wrap_calloc(size_t count, size_t size);
WRAP void *__wrap_realloc(void *memory, size_t size);
WRAP void *__wrap_reallocarray(void *memory, size_t count, size_t size);
WRAP char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* --- events ------------------------------------------------------------------ */

struct step {
	const char *path;
	size_t count;
	struct osc_value arguments[5];
};

static const struct step steps[] = {
	{ "/live/track/renamed", 2, { I(0), S("a") } },
	{ "/live/track/mute", 2, { I(1), S("b") } },
	{ "/live/track/arm", 2, { I(1), TRUE } },
	{ "/live/device/added", 3, { I(1), I(0), S("c") } },
	{ "/live/device/param", 4, { I(1), I(0), I(40), F(0.5f) } },
	{ "/live/device/param", 4, { I(0), I(0), I(3), F(0.5f) } },
	{ "/live/device/param", 4, { I(0), I(0), I(70), F(0.5f) } },
	{ "/live/device/deleted", 2, { I(0), I(0) } },
	{ "/live/scene/renamed", 2, { I(0), S("d") } },
	{ "/live/scene/added", 2, { I(1), S("e") } },
	{ "/live/clip_slot/created", 5, { I(1), I(1), TRUE, TRUE, I(1) } },
	{ "/live/clip_slot/created", 5, { I(1), I(0), TRUE, TRUE, I(1) } },
	{ "/live/scene/removed", 1, { I(2) } },
	{ "/live/transport/tempo", 1, { F(121.0f) } },
	{ "/live/transport/position", 1, { F(2.0f) } },
	{ "/live/transport/play", 1, { TRUE } },
	{ "/live/cursor/track", 2, { I(0), S("f") } },
	{ "/live/track/renamed", 2, { S("none"), S("g") } },
};

static enum event_result take(struct ast_server *server, const struct step *step)
{
	return dialogue_send(server, 1, step->path, step->arguments, step->count);
}

/*
 * Takes the step while its n-th allocation fails; false: it has fewer, and was
 * taken as if nothing were. Two servers of one set differ in random ids, so
 * one server takes all steps, each again and again.
 */
static bool take_failing(struct ast_server *server, const struct step *step, unsigned n)
{
	char *before = dialogue_tree(server), *after;

	until_failure = n;
	enum event_result result = take(server, step);
	bool failed = until_failure == 0;
	until_failure = 0;
	after = dialogue_tree(server);
	char *const *heard = fixture_heard();
	/* What could not be made is told too: clients are then sent all there is. */
	if (failed && result == EVENT_FAILED) {
		assert_string_equal(after, before);
		assert_non_null(heard[0]);
		assert_null(heard[1]);
	}
	if (failed && result == EVENT_UNMEASURED)
		assert_string_equal(heard[0], "null");
	free(before);
	free(after);
	return failed;
}

static void each_allocation_may_fail(void **state)
{
	struct ast_server *server = dialogue_begin("memory");
	unsigned failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		/* Whatever grew for the sake of the step before is there by now. */
		for (unsigned n = 1; take_failing(server, &steps[i], n); n++)
			failures++;
	}
	assert_true(failures > 100);
	fixture_check_identity(server);
}

/* The tree took the change, so that only a new FULL_AST can put clients right. */
static void message_that_cannot_be_made_is_told(void **state)
{
	struct ast_server *server = dialogue_begin("memory-message");
	const struct step step = { "/live/transport/play", 1, { TRUE } };

	(void)state;
	take(server, &step); /* from here on it allocates its message alone */
	fixture_heard();
	until_failure = 1;
	assert_int_equal(take(server, &step), EVENT_PROCESSED);
	assert_int_equal(until_failure, 0);
	assert_string_equal(fixture_heard()[0], "null");
}

static void debounced_message_goes_out_at_once_where_it_cannot_wait(void **state)
{
	struct ast_server *server = dialogue_begin("memory-debounce");
	const struct step step = { "/live/transport/tempo", 1, { F(90.0f) } };

	(void)state;
	SEND(server, "/live/transport/play", TRUE);
	tree_set(server->project.tree, tree_root(server->project.tree), "tempo",
		 value_number(80.0));
	fixture_heard();
	until_failure = 2; /* its place in the line, after its text */
	assert_int_equal(take(server, &step), EVENT_PROCESSED);
	assert_int_equal(until_failure, 0);
	expect_message(DIFF("{'type':'state_changed','node_id':'project',"
			    "'node_type':'project','path':'project','attribute':'tempo',"
			    "'old_value':80.0,'new_value':90.0,'seq_num':1}",
			    "", "", "'project'"));
	assert_int_equal(debounce_next_ns(&server->debounce), INT64_MAX);
}

/* A reload fails as if the file were broken: the tree stays, clients are told. */
static void reload_without_memory_leaves_the_tree(void **state)
{
	struct ast_server *server = dialogue_begin("memory-reload");
	char *before = dialogue_tree(server);
	const char *path = fixture_file(fixture_live_set);
	int64_t told = 0;
	bool failed = true;

	(void)state;
	for (unsigned n = 1; failed; n++) {
		until_failure = n;
		int result = ast_server_load(server, path, NULL);
		failed = until_failure == 0;
		until_failure = 0;
		char *const *heard = fixture_heard();
		char *after = dialogue_tree(server);
		assert_string_equal(after, before);
		free(after);
		assert_int_equal(result < 0, heard[0] != NULL);
		if (heard[0])
			assert_non_null(strstr(heard[0], "Reload failed"));
		told += heard[0] != NULL;
	}
	assert_true(told > 50);
	assert_int_equal(fixture_counter(server, "errors.reload"), told);
	assert_int_equal(fixture_counter(server, "errors.project_load"), 0);
	free(before);
}

#define CASE(name) cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_allocation_may_fail),
		CASE(message_that_cannot_be_made_is_told),
		CASE(debounced_message_goes_out_at_once_where_it_cannot_wait),
		CASE(reload_without_memory_leaves_the_tree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
