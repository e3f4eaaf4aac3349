/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"

static struct ast_server *current;

#define HEARD_MAX 1024u

static char *heard[HEARD_MAX + 1];
static size_t heard_count;

static void hear(void *context, struct message *message)
{
	(void)context;
	assert_true(heard_count < HEARD_MAX);
	heard[heard_count] = message ? strndup(message_text(message), message->length)
				     : strdup("null");
	assert_non_null(heard[heard_count++]);
	message_release(message);
}

/* What fixture_heard gave last. */
static char *given[HEARD_MAX + 1];

char *const *fixture_heard(void)
{
	for (size_t i = 0; given[i]; i++)
		free(given[i]);
	memcpy(given, heard, sizeof given);
	memset(heard, 0, sizeof heard);
	heard_count = 0;
	return given;
}

struct ast_server *fixture_create(const char *case_name, size_t queue_capacity)
{
	char name[128];

	snprintf(name, sizeof name, "test-server-%s.%d", case_name, (int)getpid());
	struct server_options options = { .udp_off = true, .queue_capacity = queue_capacity,
					  .websocket_off = true,
					  .cache_capacity = CACHE_CAPACITY,
					  .metrics = { .name = name } };
	log_set_level(LOG_ERROR);
	assert_int_equal(ast_server_create(&current, &options), 0);
	assert_non_null(current->metrics.writer);
	current->broadcast = hear;
	return current;
}

/* --- files ----------------------------------------------------------------- */

static char file_path[64];

const char *fixture_file(const char *text)
{
	char next[sizeof file_path + 4];

	/* Once: another thread may be reading the path. */
	if (!file_path[0])
		snprintf(file_path, sizeof file_path, "/tmp/test-server-%d.xml", (int)getpid());
	snprintf(next, sizeof next, "%s.new", file_path);
	FILE *file = fopen(next, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	/* At once, so that no thread reads the half of it. */
	assert_int_equal(rename(next, file_path), 0);
	return file_path;
}

int fixture_teardown(void **state)
{
	(void)state;
	ast_server_destroy(&current);
	if (file_path[0])
		unlink(file_path);
	fixture_heard();
	fixture_heard();
	return 0;
}

struct live_event *fixture_pop(struct ast_server *server)
{
	struct task *task;
	void *event = NULL;

	assert_int_equal(queue_take(&server->queue, 0, &event, &task), QUEUE_ITEM);
	return event;
}

const char fixture_live_set[] =
	"<?xml version=\"1.0\"?><Ableton><LiveSet><Tracks>"
	"<MidiTrack><Name><EffectiveName Value=\"1-MIDI\"/></Name><Color Value=\"3\"/>"
	"<DeviceChain><Mixer><Volume><Manual Value=\"0.5\"/></Volume></Mixer>"
	"<Devices><Eq8/><Reverb/></Devices></DeviceChain></MidiTrack>"
	"<AudioTrack><Name><EffectiveName Value=\"2-Audio\"/></Name>"
	"<DeviceChain><Mixer/><MainSequencer><ClipSlotList><ClipSlot/>"
	"<ClipSlot><ClipSlot><Value><AudioClip/></Value></ClipSlot></ClipSlot>"
	"</ClipSlotList></MainSequencer></DeviceChain></AudioTrack>"
	"<ReturnTrack><Name><EffectiveName Value=\"A-Reverb\"/></Name>"
	"<DeviceChain><Mixer/></DeviceChain></ReturnTrack>"
	"</Tracks><MainTrack><Name><EffectiveName Value=\"Main\"/></Name></MainTrack>"
	"<Scenes><Scene><Name Value=\"one\"/></Scene><Scene><Name Value=\"two\"/></Scene>"
	"<Scene><Name Value=\"three\"/></Scene><Scene><Name Value=\"four\"/></Scene></Scenes>"
	"<FileRef Type=\"1\"><Name Value=\"kick.wav\"/></FileRef></LiveSet></Ableton>";

void fixture_load(struct ast_server *server)
{
	assert_int_equal(ast_server_load(server, fixture_file(fixture_live_set), NULL), 0);
}

/* --- metrics ---------------------------------------------------------------- */

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

void fixture_await(struct ast_server *server, const char *name, int64_t value)
{
	for (unsigned tries = 0; fixture_counter(server, name) != value; tries++) {
		assert_true(tries < 60000);
		usleep(1000);
	}
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
				   fixture_counter(server, "events.ignored.no_ast") +
				   fixture_counter(server, "events.ignored.invalid") +
				   fixture_counter(server, "events.ignored.no_target"));
	assert_int_equal(received, fixture_samples(server, "event.processing.duration", NULL) +
				   fixture_counter(server, "events.ignored.no_ast"));
}
