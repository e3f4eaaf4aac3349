/* SPDX-License-Identifier: MIT */
#include "segment_seeds.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <astshm/writer.h>

#include "segment_records.h"

#define THREADS 6
#define GENERATION UINT64_C(0x1122334455667788)
#define MONOTONIC_NS UINT64_C(1000000000000)
#define REALTIME_NS UINT64_C(1795343400000000000)

static const struct astshm_tag type_tags[] = { { "type", "/live/track/mute" } };
static const struct astshm_tag odd_tags[] = {
	{ "type", "a=b,c[d]\\" },
	{ "gr\xc3\xbc\xc3\x9f", "\xf0\x9f\x98\x80 \"quoted\"" },
};

/* --- what is recorded ----------------------------------------------------- */

static void counters(struct astshm_writer *writer)
{
	struct astshm_metric signals = { .name = "signals", .flags = ASTSHM_SIGNAL_SAFE };
	struct astshm_metric level = { .name = "level", .flags = ASTSHM_UP_DOWN };
	struct astshm_counter counter;

	astshm_describe(writer, ASTSHM_KIND_COUNTER, "events", "items", "Events \"so far\"\n.",
			NULL);
	astshm_increment(writer, "events", 41, ASTSHM_NO_TAGS);
	astshm_increment(writer, "events", 7, type_tags, 1);
	astshm_increment(writer, "events", 9, odd_tags, 2);
	astshm_decrement(writer, "pending", 3, ASTSHM_NO_TAGS);
	astshm_counter_register(writer, &signals, &counter, NULL);
	astshm_counter_add(counter, 2);
	astshm_counter_add_signal(counter, 3);
	astshm_counter_register(writer, &level, &counter, NULL);
	astshm_counter_sub(counter, 5);
	astshm_increment(writer, "largest", INT64_MAX, ASTSHM_NO_TAGS);
}

static void gauges(struct astshm_writer *writer)
{
	struct astshm_metric depth = { .name = "depth", .unit = "items",
				       .merge = ASTSHM_MERGE_SUM };
	struct astshm_gauge gauge;

	astshm_set(writer, "load", 1.5, ASTSHM_NO_TAGS);
	astshm_set(writer, "load", -2.25, ASTSHM_NO_TAGS);
	astshm_set(writer, "load", (double)NAN, type_tags, 1);
	astshm_set(writer, "load", (double)INFINITY, odd_tags, 2);
	astshm_add(writer, "sum", 0.1, ASTSHM_NO_TAGS);
	astshm_gauge_register(writer, &depth, &gauge, NULL);
	astshm_gauge_set(gauge, 4);
}

static void timings(struct astshm_writer *writer)
{
	astshm_time(writer, "timing", 0, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", 1000000, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", 5200000, ASTSHM_NO_TAGS);
	for (int i = 0; i < 3; i++)
		astshm_time(writer, "timing", INT64_MAX, type_tags, 1);
}

static void distributions(struct astshm_writer *writer)
{
	struct astshm_metric metric = { .name = "empty", .unit = "bytes", .help = "None yet." };
	struct astshm_distribution empty;

	astshm_distribution_register(writer, &metric, &empty, NULL);
	astshm_observe(writer, "size", 4096, ASTSHM_NO_TAGS);
	for (int i = 1; i < 100; i++)
		astshm_observe(writer, "size", i * i, odd_tags, 2);
}

/* Names, tags, units and help texts that are as long as they may be. */
static void tags(struct astshm_writer *writer)
{
	static char keys[ASTSHM_TAGS_MAX][ASTSHM_TAG_KEY_MAX + 1], name[ASTSHM_NAME_MAX + 1];
	static char value[ASTSHM_TAG_VALUE_MAX + 1], unit[ASTSHM_UNIT_MAX + 1];
	static char help[ASTSHM_HELP_MAX + 1];
	struct astshm_tag many[ASTSHM_TAGS_MAX];

	memset(name, 'n', ASTSHM_NAME_MAX);
	memset(unit, 'u', ASTSHM_UNIT_MAX);
	memset(help, '\\', ASTSHM_HELP_MAX);
	memset(value, ',', ASTSHM_TAG_VALUE_MAX);
	for (size_t i = 0; i < ASTSHM_TAGS_MAX; i++) {
		memset(keys[i], 'a' + (int)i, ASTSHM_TAG_KEY_MAX);
		many[i] = (struct astshm_tag){ keys[i], value };
	}
	astshm_describe(writer, ASTSHM_KIND_COUNTER, name, unit, help, NULL);
	astshm_increment(writer, name, 1, many, ASTSHM_TAGS_MAX);
	for (size_t i = 0; i < ASTSHM_TAGS_MAX; i++)
		astshm_increment(writer, "short", i, many, i);
	/* One name in two kinds. */
	astshm_set(writer, "short", 1, ASTSHM_NO_TAGS);
}

static void removed(struct astshm_writer *writer)
{
	counters(writer);
	gauges(writer);
	astshm_remove(writer, ASTSHM_KIND_COUNTER, "events", ASTSHM_NO_TAGS);
	astshm_remove(writer, ASTSHM_KIND_COUNTER, "pending", ASTSHM_NO_TAGS);
	astshm_remove(writer, ASTSHM_KIND_GAUGE, "sum", ASTSHM_NO_TAGS);
	astshm_increment(writer, "in its place", 1, ASTSHM_NO_TAGS);
}

static void reset(struct astshm_writer *writer)
{
	counters(writer);
	gauges(writer);
	timings(writer);
	astshm_reset_counters(writer);
	astshm_increment(writer, "events", 1, ASTSHM_NO_TAGS);
	astshm_reset(writer);
	astshm_increment(writer, "events", 2, type_tags, 1);
	astshm_time(writer, "timing", 77, ASTSHM_NO_TAGS);
	astshm_set(writer, "load", 3, ASTSHM_NO_TAGS);
}

/* --- threads -------------------------------------------------------------------- */

/* One after the other they record, and none ends before all have: each has a slot
 * of its own, and always the same one. */
struct crowd {
	struct astshm_writer *writer;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	int recorded;
	bool over;
};

static void *record_in_turn(void *context)
{
	struct crowd *crowd = context;

	(void)pthread_setname_np(pthread_self(), "crowd \xc3\xa4");
	pthread_mutex_lock(&crowd->lock);
	astshm_increment(crowd->writer, "events", 1, ASTSHM_NO_TAGS);
	astshm_set(crowd->writer, "load", crowd->recorded, ASTSHM_NO_TAGS);
	if (crowd->recorded < 2)
		astshm_time(crowd->writer, "timing", 1000, ASTSHM_NO_TAGS);
	crowd->recorded++;
	pthread_cond_broadcast(&crowd->moved);
	while (!crowd->over)
		pthread_cond_wait(&crowd->moved, &crowd->lock);
	pthread_mutex_unlock(&crowd->lock);
	return NULL;
}

static void threads(struct astshm_writer *writer)
{
	struct crowd crowd = { .writer = writer, .lock = PTHREAD_MUTEX_INITIALIZER,
			       .moved = PTHREAD_COND_INITIALIZER };
	pthread_t ids[THREADS];

	for (int i = 0; i < THREADS; i++) {
		fuzz_expect(pthread_create(&ids[i], NULL, record_in_turn, &crowd) == 0, "a thread");
		pthread_mutex_lock(&crowd.lock);
		while (crowd.recorded <= i)
			pthread_cond_wait(&crowd.moved, &crowd.lock);
		pthread_mutex_unlock(&crowd.lock);
	}
	pthread_mutex_lock(&crowd.lock);
	crowd.over = true;
	pthread_cond_broadcast(&crowd.moved);
	pthread_mutex_unlock(&crowd.lock);
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
}

static void many(struct astshm_writer *writer)
{
	char name[16];

	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof name, "many.%03d", i);
		astshm_increment(writer, name, (uint64_t)i, ASTSHM_NO_TAGS);
	}
}

static void full(struct astshm_writer *writer)
{
	char value[16];

	for (int i = 0; i < 40; i++) {
		struct astshm_tag tag = { "type", value };

		snprintf(value, sizeof value, "%d", i);
		astshm_increment(writer, "events", 1, &tag, 1);
		astshm_increment(writer, value, 1, ASTSHM_NO_TAGS);
	}
	astshm_writer_set_recording(writer, false);
}

/* The slot of a record without the rest, as a killed writer leaves it. */
static void torn(struct astshm_writer *writer)
{
	struct astshm_metric metric = { .name = "torn" };
	struct astshm_distribution distribution;

	astshm_distribution_register(writer, &metric, &distribution, NULL);
	astshm_distribution_record(distribution, 8);
	struct astshm_histogram_block *block = (struct astshm_histogram_block *)(void *)
		astshm_row_entry(distribution.writer, distribution.index);
	astshm_cell_add(&block->slots[astshm_bucket_slot_any(astshm_distribution_table, 8)], 1);
}

static void all(struct astshm_writer *writer)
{
	counters(writer);
	gauges(writer);
	timings(writer);
	distributions(writer);
}

/* Two entries, with something between them. */
static void history(struct astshm_writer *writer)
{
	struct timespec pause = { 0, 2000000 };

	all(writer);
	astshm_writer_tick(writer, NULL);
	astshm_increment(writer, "events", 5, ASTSHM_NO_TAGS);
	astshm_time(writer, "timing", 3000, ASTSHM_NO_TAGS);
	nanosleep(&pause, NULL);
	astshm_writer_tick(writer, NULL);
}

static void none(struct astshm_writer *writer)
{
	(void)writer;
}

static const struct scene {
	void (*record)(struct astshm_writer *writer);
	uint32_t max_series, max_threads;
	bool closed;
} scenes[] = {
	{ none, 64, 4, false },      { counters, 64, 4, false },      { gauges, 64, 4, false },
	{ timings, 64, 4, false },   { distributions, 64, 4, false }, { tags, 64, 4, false },
	{ removed, 64, 4, false },   { reset, 64, 4, false },	      { threads, 64, 8, false },
	{ threads, 64, 2, false }, /* the others share slot 0 */
	{ many, 1024, 4, false },    { full, 16, 1, false },	      { torn, 16, 1, false },
	{ all, 64, 4, true },	     { history, 64, 4, false },
};

/* --- what they leave ---------------------------------------------------------------- */

#define PUT(image, off, type, member, value)                                      \
	segment_put(image, (off) + offsetof(struct type, member),                 \
		    sizeof(((struct type *)0)->member), value)

static void settle_header(struct segment_image *image)
{
	PUT(image, 0, astshm_segment_header, pid, 4711);
	PUT(image, 0, astshm_segment_header, pid_start_ticks, 1);
	PUT(image, 0, astshm_segment_header, generation, GENERATION);
	PUT(image, 0, astshm_segment_header, created_realtime_ns, REALTIME_NS);
	PUT(image, 0, astshm_segment_header, created_monotonic_ns, MONOTONIC_NS);
	PUT(image, 0, astshm_segment_header, heartbeat_monotonic_ns, MONOTONIC_NS);
	PUT(image, 0, astshm_segment_header, reset_realtime_ns, REALTIME_NS);
	PUT(image, 0, astshm_segment_header, reset_monotonic_ns, MONOTONIC_NS);
}

/* The name holds our process id. */
static void settle_name(struct segment_image *image)
{
	char name[ASTSHM_SEGMENT_NAME_BYTES] = "seed";

	memcpy(image->bytes + offsetof(struct astshm_segment_header, name), name, sizeof name);
	PUT(image, 0, astshm_segment_header, name_len, 4);
}

static void settle_record(struct segment_image *image, const struct segment_record *record)
{
	if (record->sort == RECORD_HISTORY_ENTRY) {
		uint64_t age = record->index * UINT64_C(1000000);

		PUT(image, record->off, astshm_history_entry, realtime_ns, REALTIME_NS + age);
		PUT(image, record->off, astshm_history_entry, monotonic_ns, MONOTONIC_NS + age);
		PUT(image, record->off, astshm_history_entry, uptime_ns, age);
	}
	if (record->sort == RECORD_SERIES)
		PUT(image, record->off, astshm_segment_series, created_realtime_ns, REALTIME_NS);
	if (record->sort != RECORD_SLOT)
		return;
	PUT(image, record->off, astshm_segment_slot, tid, record->index ? 5000 + record->index : 0);
	PUT(image, record->off, astshm_segment_slot, since_realtime_ns, REALTIME_NS);
}

/* Committed is what is used: its last byte is one that a reader wants. */
static void settle(struct segment_image *image)
{
	static struct segment_records records;

	segment_find(image, &records);
	for (size_t i = 0; i < records.count; i++)
		settle_record(image, &records.all[i]);
	settle_header(image);
	settle_name(image);
	image->size = segment_used(&records);
	PUT(image, 0, astshm_segment_header, committed_bytes, image->size);
}

static void load(const char *path, struct fuzz_input *input)
{
	static uint8_t bytes[1 << 20];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(file, bytes, sizeof bytes);
	struct segment_image image = { bytes, (size_t)size, (size_t)size };

	fuzz_expect(size >= (ssize_t)ASTSHM_SEGMENT_HEADER_BYTES, "a segment");
	close(file);
	settle(&image);
	fuzz_expect(image.size <= FUZZ_INPUT_MAX, "room for a seed");
	memcpy(input->bytes, bytes, image.size);
	input->size = image.size;
}

static void make(const struct scene *scene, struct fuzz_input *input)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	struct astshm_writer *writer = NULL;
	struct astshm_error error = { .text = "" };
	char path[64];

	snprintf(path, sizeof path, "/dev/shm/fuzz-seed-%d", (int)getpid());
	options.flags = scene->closed ? ASTSHM_OPEN_KEEP : 0;
	options.max_bytes = 1 << 20;
	options.max_series = scene->max_series;
	options.max_threads = scene->max_threads;
	options.max_tag_sets = 20;
	options.keep_dead = ASTSHM_KEEP_NONE;
	options.history_ms = 1;
	options.history_count = 4;
	options.history_coarse_ms = 4;
	options.history_coarse_count = 2;
	if (astshm_writer_open(&writer, path, &options, &error) != 0)
		fprintf(stderr, "%s\n", error.text);
	fuzz_expect(writer, "a writer");
	scene->record(writer);
	if (scene->closed)
		astshm_writer_close(&writer);
	load(path, input);
	astshm_writer_close(&writer);
	unlink(path);
}

bool segment_seed(size_t index, struct fuzz_input *input)
{
	static struct fuzz_input seeds[sizeof scenes / sizeof scenes[0]];

	if (index >= sizeof scenes / sizeof scenes[0])
		return false;
	if (seeds[index].size == 0)
		make(&scenes[index], &seeds[index]);
	input->size = seeds[index].size;
	memcpy(input->bytes, seeds[index].bytes, input->size);
	return true;
}
