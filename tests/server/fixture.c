/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

static struct ast_server *current;

struct ast_server *fixture_create(const char *case_name, size_t queue_capacity)
{
	char name[128];

	snprintf(name, sizeof name, "test-server-%s.%d", case_name, (int)getpid());
	struct server_options options = { .udp_off = true, .queue_capacity = queue_capacity,
					  .metrics = { .name = name } };
	log_set_level(LOG_ERROR);
	assert_int_equal(ast_server_create(&current, &options), 0);
	assert_non_null(current->metrics.writer);
	return current;
}

int fixture_teardown(void **state)
{
	(void)state;
	ast_server_destroy(&current);
	return 0;
}

static int64_t counter(struct ast_server *server, const char *name, const struct astshm_tag *tags,
		       size_t count)
{
	int64_t value = 0;
	int result = astshm_get_counter(server->metrics.writer, name, tags, count, &value);

	if (result == -ENOENT)
		return -1;
	assert_int_equal(result, 0);
	return value;
}

int64_t fixture_counter(struct ast_server *server, const char *name)
{
	return counter(server, name, ASTSHM_NO_TAGS);
}

int64_t fixture_tagged(struct ast_server *server, const char *name, const char *type)
{
	return counter(server, name, ASTSHM_TAGS({ METRICS_TAG, type }));
}

int64_t fixture_samples(struct ast_server *server, const char *name, const char *type)
{
	struct astshm_tag tag = { METRICS_TAG, type };
	struct astshm_statistics statistics;
	int result = astshm_get_timing(server->metrics.writer, name, &tag, type ? 1 : 0,
				       &statistics);

	if (result == -ENOENT)
		return -1;
	assert_int_equal(result, 0);
	return (int64_t)statistics.count;
}

double fixture_gauge(struct ast_server *server, const char *name)
{
	struct astshm_gauge_value value;

	assert_int_equal(astshm_get_gauge(server->metrics.writer, name, ASTSHM_NO_TAGS, &value),
			 0);
	return value.current;
}

void fixture_check_identity(struct ast_server *server)
{
	int64_t received = fixture_counter(server, "events.received");

	assert_int_equal(received, fixture_counter(server, "events.processed") +
				   fixture_counter(server, "events.unhandled") +
				   fixture_counter(server, "errors.event_processing") +
				   fixture_counter(server, "events.ignored.invalid") +
				   fixture_counter(server, "events.ignored.no_target"));
	assert_int_equal(received, fixture_samples(server, "event.processing.duration", NULL));
}
