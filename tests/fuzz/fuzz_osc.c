/* SPDX-License-Identifier: MIT */
/*
 * Datagrams into a server that has a Live Set, a few in turn: numbers are judged
 * by those before, and events meet what earlier ones made of the tree. An input
 * is datagrams with DELIMITER between them.
 */
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "server.h"
#include "target.h"

/* Two bytes that no text of a datagram can hold. */
#define DELIMITER "\xfb\xff"
#define DELIMITER_BYTES 2u
/* Fewer than the datagrams of a seed, so that it gets full. */
#define QUEUE_ITEMS 5u
/* Inputs that one tree sees: what they add to it must not slow the rest down. */
#define TREE_INPUTS 20u

static struct intake_statistics seen;
static uint64_t accepted; /* events that the queue had at the end of an input */
static uint64_t heard;    /* messages for clients */

/* --- what must hold --------------------------------------------------- */

static void check_account(const struct intake_statistics *before,
			  const struct intake_statistics *after, const char *fault)
{
	uint64_t processed = after->processed - before->processed;
	uint64_t dropped = after->dropped - before->dropped;
	uint64_t errors = after->parse_errors - before->parse_errors;

	fuzz_expect(after->received == before->received + 1, "a datagram is received once");
	fuzz_expect(processed + dropped + errors == 1, "one thing becomes of a datagram");
	fuzz_expect(after->dropped == after->duplicates + after->refused,
		    "what is dropped is a duplicate or was refused");
	fuzz_expect(!fault || errors == 1, "what is no message is a parse error");
}

static void check_text(const char *text)
{
	/* The bytes are read: a sanitizer knows whether they are the event's. */
	fuzz_expect(strlen(text) <= OSC_DATAGRAM_MAX, "a text is no longer than its datagram");
}

static void check_event(const struct live_event *event)
{
	check_text(event->path);
	for (size_t i = 0; i < event->count; i++) {
		const struct osc_value *value = &event->arguments[i];

		fuzz_expect(value->tag != '\0' && strchr("ifsTF", value->tag), "a known type");
		if (value->tag == 's')
			check_text(value->s);
	}
}

static void check_queue(const struct queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		check_event(queue->items[(queue->head + i) % queue->capacity]);
	accepted += queue->count;
}

/* What clients are sent is JSON, whatever the event was. */
static void hear(void *context, struct message *message)
{
	(void)context;
	fuzz_expect(message, "memory");
	json_t *value = json_loadb(message_text(message), message->length, 0, NULL);
	fuzz_expect(value, "a message is JSON");
	fuzz_expect(json_object_get(value, "type") && json_object_get(value, "payload"),
		    "a message has a type and a payload");
	json_decref(value);
	message_release(message);
	heard++;
}

/* Hashes follow the content, and nothing is left that does not fit into JSON. */
static void check_tree(struct ast_server *server)
{
	hear(NULL, project_full(server));
}

/* --- the server ------------------------------------------------------- */

static void load(struct ast_server *server)
{
	static const char set[] =
		"<Ableton><LiveSet><Tracks><MidiTrack><DeviceChain><Mixer/><Devices><Eq8/>"
		"</Devices></DeviceChain></MidiTrack><ReturnTrack/></Tracks><MainTrack/>"
		"<Scenes><Scene/><Scene/></Scenes></LiveSet></Ableton>";
	char path[] = "/tmp/fuzz-osc-XXXXXX.xml";
	int file = mkstemps(path, 4);

	fuzz_expect(file >= 0 && write(file, set, sizeof set - 1) == sizeof set - 1, "a file");
	close(file);
	fuzz_expect(ast_server_load(server, path, NULL) == 0, "a tree");
	unlink(path);
}

static struct ast_server *current;

static void destroy(void)
{
	ast_server_destroy(&current);
}

static struct ast_server *server_of_input(void)
{
	static const struct server_options options = {
		.udp_off = true, .websocket_off = true, .queue_capacity = QUEUE_ITEMS,
		.cache_capacity = 2, .metrics = { .off = true } };
	static unsigned inputs;

	if (!current) {
		log_set_level(LOG_ERROR);
		fuzz_expect(ast_server_create(&current, &options) == 0, "a server");
		current->broadcast = hear;
		atexit(destroy);
	}
	if (inputs++ % TREE_INPUTS == 0)
		load(current);
	return current;
}

static void apply_all(struct ast_server *server)
{
	struct task *task;
	void *event;

	while (queue_take(&server->queue, 0, &event, &task) == QUEUE_ITEM)
		ast_server_apply(server, event);
	ast_server_settle(server);
}

/* --- an input --------------------------------------------------------- */

static void take(struct intake *intake, const uint8_t *bytes, size_t size)
{
	struct sequence_source source = { .port = size > 0 ? bytes[size - 1] & 1 : 0 };
	struct intake_statistics before = intake->statistics;
	bool is_cut = size > OSC_DATAGRAM_MAX;

	if (is_cut)
		size = OSC_DATAGRAM_MAX;
	/* Memory of its own size: a byte too far is one outside. */
	uint8_t *datagram = malloc(size + (size == 0));
	fuzz_expect(datagram, "memory");
	memcpy(datagram, bytes, size);
	const char *fault = is_cut ? "cut" : osc_check(datagram, size);
	intake_datagram(intake, datagram, size, is_cut, &source);
	free(datagram);
	check_account(&before, &intake->statistics, fault);
}

static void take_all(struct intake *intake, const uint8_t *bytes, size_t size)
{
	for (;;) {
		const uint8_t *end = memmem(bytes, size, DELIMITER, DELIMITER_BYTES);
		size_t length = end ? (size_t)(end - bytes) : size;

		take(intake, bytes, length);
		if (!end)
			return;
		bytes = end + DELIMITER_BYTES;
		size -= length + DELIMITER_BYTES;
	}
}

static void add_up(const struct intake_statistics *statistics)
{
	seen.received += statistics->received;
	seen.processed += statistics->processed;
	seen.parse_errors += statistics->parse_errors;
	seen.duplicates += statistics->duplicates;
	seen.refused += statistics->refused;
	seen.late += statistics->late;
	seen.gaps += statistics->gaps;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct ast_server *server = server_of_input();

	intake_init(&server->intake, &server->metrics, &server->queue);
	take_all(&server->intake, bytes, size);
	check_queue(&server->queue);
	add_up(&server->intake.statistics);
	apply_all(server);
	if (size % 64 == 0)
		check_tree(server);
	return 0;
}

/* --- seeds ------------------------------------------------------------ */

static void put_text(struct fuzz_input *input, const char *text)
{
	size_t length = strlen(text), padded = (length + 4) & ~(size_t)3;

	memcpy(input->bytes + input->size, text, length);
	memset(input->bytes + input->size + length, 0, padded - length);
	input->size += padded;
}

static void put_number(struct fuzz_input *input, uint32_t number)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		input->bytes[input->size++] = (uint8_t)(number >> shift);
}

/* The arguments that the tags behind the comma ask for. */
static void put_arguments(struct fuzz_input *input, const char *tags)
{
	for (; *tags; tags++) {
		if (*tags == 's')
			put_text(input, "a t\xc3\xa9xt");
		else if (*tags == 'i' || *tags == 'f')
			put_number(input, *tags == 'i' ? 1 : 0x3f000000);
	}
}

struct shape {
	const char *path;
	const char *tags; /* of the event's own arguments */
};

static const struct shape shapes[] = {
	{ "/live/track/renamed", "is" },       { "/live/track/mute", "iT" },
	{ "/live/track/volume", "if" },        { "/live/device/added", "iis" },
	{ "/live/device/deleted", "ii" },      { "/live/device/param", "iiif" },
	{ "/live/scene/added", "is" },         { "/live/scene/removed", "i" },
	{ "/live/clip_slot/created", "iiTTi" }, { "/live/transport/tempo", "f" },
	{ "/live/transport/play", "F" },       { "/live/cursor/track", "iis" },
	{ "/live/none", "sssssssssssssssss" }, { "", "" },
};

static void put_event(struct fuzz_input *input, const struct shape *shape, uint32_t number)
{
	char tags[40];

	snprintf(tags, sizeof tags, ",ifs%s", shape->tags);
	put_text(input, "/live/seq");
	put_text(input, tags);
	put_number(input, number);
	put_number(input, 0x4ec9f2a0);
	put_text(input, shape->path);
	put_arguments(input, shape->tags);
}

static void put_delimiter(struct fuzz_input *input)
{
	memcpy(input->bytes + input->size, DELIMITER, DELIMITER_BYTES);
	input->size += DELIMITER_BYTES;
}

static void put_plain(struct fuzz_input *input, const char *path, const char *tags)
{
	put_text(input, path);
	put_text(input, tags);
	put_arguments(input, tags + 1);
	put_delimiter(input);
}

static bool seed(size_t index, struct fuzz_input *input)
{
	/* In order, a duplicate, a gap, a late one, a wrap, and a new start. */
	static const uint32_t numbers[] = { 7, 8, 8, 12, 9, 0x7fffffff, 0x80000000, 0 };
	size_t count = sizeof shapes / sizeof shapes[0];

	input->size = 0;
	if (index >= count)
		return false;
	put_plain(input, "/live/batch/start", ",i");
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		put_event(input, &shapes[(index + i) % count], numbers[i]);
		put_delimiter(input);
	}
	put_plain(input, "/live/other", ",sif");
	return true;
}

static const char *word(size_t index)
{
	static const char *const words[] = {
		"#bundle", DELIMITER, "/live/seq", "/live/batch/end", ",ifs", ",ifsTFsif", ",",
		"/", "b", "[", "N", "I", "d", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80",
	};

	return index < sizeof words / sizeof words[0] ? words[index] : NULL;
}

static bool report(void)
{
	printf("datagrams %llu, processed %llu, parse errors %llu, duplicates %llu, "
	       "refused %llu, late %llu, gaps %llu, events %llu, messages %llu\n",
	       (unsigned long long)seen.received, (unsigned long long)seen.processed,
	       (unsigned long long)seen.parse_errors, (unsigned long long)seen.duplicates,
	       (unsigned long long)seen.refused, (unsigned long long)seen.late,
	       (unsigned long long)seen.gaps, (unsigned long long)accepted,
	       (unsigned long long)heard);
	return seen.processed > 0 && seen.parse_errors > 0 && seen.duplicates > 0 &&
	       seen.refused > 0 && seen.late > 0 && seen.gaps > 0 && accepted > 0 && heard > 0;
}

const struct fuzz_target fuzz_target = { .seed = seed, .word = word, .report = report,
					 .size_max = 16384 };
