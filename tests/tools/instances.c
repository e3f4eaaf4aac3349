/* SPDX-License-Identifier: MIT */
/*
 * Many servers, one after the other, each with a segment of its own:
 *
 *     instances FOLDER COUNT SEED
 *
 * Each records through the writer library and is read by the reader library, as on
 * a machine of its own. No two are alike: some are fast, some slow, some have done
 * nothing. Left in FOLDER:
 *
 *     NUMBER.msgpack     the snapshot of one
 *     all.feed           of each, a snapshot half way and the last one, as frames of
 *                        a feed
 *     durations.ZONE     every duration recorded there, 64-bit nanoseconds
 *     sizes              every size
 */
#include <err.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <astshm/reader.h>
#include <astshm/writer.h>

#include "buffer.h"
#include "feed_head.h"

#define ZONES 3
#define MOST_SAMPLES 600
#define TWO_PI 6.283185307179586

static const char *const zones[ZONES] = { "north", "south", "west" };

struct run {
	const char *folder;
	uint64_t random;
	uint64_t number; /* of the next frame */
	FILE *feed, *sizes, *durations[ZONES];
};

struct handles {
	struct astshm_counter requests;
	struct astshm_timing duration;
	struct astshm_distribution size;
	struct astshm_gauge connections, load;
};

/* --- chance (xorshift64*, Marsaglia 2003, Vigna 2016) ----------------------- */

static double between_0_and_1(struct run *run)
{
	run->random ^= run->random >> 12;
	run->random ^= run->random << 25;
	run->random ^= run->random >> 27;
	return ((double)(run->random * 0x2545f4914f6cdd1d >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller, 1958. */
static int64_t lognormal(struct run *run, double median, double sigma)
{
	double radius = sqrt(-2.0 * log(between_0_and_1(run)));

	return (int64_t)(median * exp(sigma * radius * cos(TWO_PI * between_0_and_1(run))));
}

/* --- one instance -------------------------------------------------------------- */

static void check(int result, const char *what)
{
	if (result < 0)
		errx(1, "%s: error %d", what, -result);
}

static void write_out(FILE *file, const void *bytes, size_t count)
{
	if (fwrite(bytes, 1, count, file) != count)
		err(1, "fwrite");
}

static FILE *create(const struct run *run, const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", run->folder, name);
	file = fopen(path, "wb");
	if (!file)
		err(1, "%s", path);
	return file;
}

static void end(FILE *file)
{
	if (fclose(file) != 0)
		err(1, "fclose");
}

static void take_snapshot(struct run *run, struct astshm_reader *reader, struct buffer *document)
{
	struct astshm_encode_options options = ASTSHM_ENCODE_OPTIONS_INIT;
	struct astshm_sink sink = { .write = buffer_write, .context = document };
	struct astshm_snapshot *snapshot = NULL;
	unsigned char head[FEED_HEAD_BYTES];

	document->count = 0;
	check(astshm_reader_snapshot(reader, 0, &snapshot, NULL), "snapshot");
	check(astshm_encode_msgpack(snapshot, &sink, &options), "encode");
	astshm_snapshot_free(&snapshot);
	feed_head_write(head, ++run->number, (uint32_t)document->count);
	write_out(run->feed, head, sizeof(head));
	write_out(run->feed, document->bytes, document->count);
}

static struct handles make_handles(struct astshm_writer *writer, unsigned zone)
{
	struct handles handles;
	const struct astshm_tag tag = { "zone", zones[zone] };

	check(astshm_counter_register(writer, &(struct astshm_metric){ .name = "requests" },
				      &handles.requests, NULL), "register");
	check(astshm_timing_register(writer,
				     &(struct astshm_metric){ .name = "request.duration",
							      .tags = &tag, .tag_count = 1 },
				     &handles.duration, NULL), "register");
	check(astshm_distribution_register(writer,
					   &(struct astshm_metric){ .name = "size",
								    .unit = "bytes" },
					   &handles.size, NULL), "register");
	check(astshm_gauge_register(writer,
				    &(struct astshm_metric){ .name = "connections",
							     .merge = ASTSHM_MERGE_SUM },
				    &handles.connections, NULL), "register");
	check(astshm_gauge_register(writer,
				    &(struct astshm_metric){ .name = "load",
							     .merge = ASTSHM_MERGE_MAX },
				    &handles.load, NULL), "register");
	return handles;
}

static void record(struct run *run, const struct handles *handles, unsigned i, unsigned count)
{
	double median_ns = 20000.0 * pow(1.01, i); /* from 20 us to 0.4 s */

	for (unsigned n = 0; n < count; n++) {
		int64_t ns = lognormal(run, median_ns, 0.3 + 0.002 * i);
		int64_t size = lognormal(run, 700.0 + i, 1.5);

		astshm_counter_add(handles->requests, 1);
		astshm_timing_record(handles->duration, ns);
		astshm_distribution_record(handles->size, size);
		write_out(run->durations[i % ZONES], &ns, sizeof(ns));
		write_out(run->sizes, &size, sizeof(size));
	}
}

static void save(const struct run *run, unsigned i, const struct buffer *document)
{
	char name[32];
	FILE *file;

	snprintf(name, sizeof(name), "%04u.msgpack", i);
	file = create(run, name);
	write_out(file, document->bytes, document->count);
	end(file);
}

static void run_instance(struct run *run, unsigned i, struct buffer *document)
{
	struct astshm_writer_options options = ASTSHM_WRITER_OPTIONS_INIT;
	unsigned count = i % 50 == 7 ? 0 : (unsigned)(between_0_and_1(run) * MOST_SAMPLES);
	struct astshm_reader *reader = NULL;
	struct astshm_writer *writer;
	struct handles handles;
	char name[64];

	options.max_series = 64;
	options.max_threads = 4;
	options.history_ms = ASTSHM_HISTORY_NONE;
	snprintf(name, sizeof(name), "instances.%d.%u", getpid(), i);
	check(astshm_writer_open(&writer, name, &options, NULL), "open");
	handles = make_handles(writer, i % ZONES);
	check(astshm_reader_open(&reader, name, NULL, NULL), "attach");
	record(run, &handles, i, count / 2);
	astshm_gauge_set(handles.connections, i);
	astshm_gauge_set(handles.load, i / 8.0);
	take_snapshot(run, reader, document);
	record(run, &handles, i, count - count / 2);
	take_snapshot(run, reader, document);
	save(run, i, document);
	astshm_reader_close(&reader);
	astshm_writer_close(&writer);
}

/* --- all ------------------------------------------------------------------------- */

static void open_files(struct run *run)
{
	char name[64];

	run->feed = create(run, "all.feed");
	run->sizes = create(run, "sizes");
	for (unsigned i = 0; i < ZONES; i++) {
		snprintf(name, sizeof(name), "durations.%s", zones[i]);
		run->durations[i] = create(run, name);
	}
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	struct buffer document = { 0 };
	unsigned count;

	if (argc != 4)
		errx(2, "usage: instances FOLDER COUNT SEED");
	run.folder = argv[1];
	count = (unsigned)strtoul(argv[2], NULL, 10);
	run.random = strtoull(argv[3], NULL, 10) | 1;
	open_files(&run);
	for (unsigned i = 0; i < count; i++)
		run_instance(&run, i, &document);
	buffer_free(&document);
	end(run.feed);
	end(run.sizes);
	for (unsigned i = 0; i < ZONES; i++)
		end(run.durations[i]);
	return 0;
}
