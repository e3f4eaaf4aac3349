/* SPDX-License-Identifier: MIT */
/*
 * An image of a segment, as a stranger may have left it: attached, read twice,
 * changed and read again, and all documents made of what was seen. The image ends
 * where its committed size ends, and behind that is nothing (flush.h). Every
 * fourth is a file as well, which then gets shorter.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <astshm/reader.h>

#include "flush.h"
#include "heap.h"
#include "segment_check.h"
#include "segment_damage.h"
#include "segment_seeds.h"
#include "target.h"

/* Memory that a reader and a snapshot may take: so many times the image. A
 * record of 128 bytes may have tags that it shares with all the others; stored,
 * escaped and as a key, these are SNAPSHOT_KEY_MAX and as much again. */
#define MEMORY_FACTOR 256u
#define MEMORY_LEAST ((size_t)1 << 20)

#define CHANGES 2
#define POINTS 6u

static struct {
	unsigned long long refused, whole, partly, late, files, broken, pasts;
	size_t most; /* memory, in 1/100 of the image's size */
} seen;

/* --- errors -------------------------------------------------------------------- */

static bool is_documented(int code)
{
	return code == -EBADMSG || code == -EPROTONOSUPPORT || code == -ETIMEDOUT;
}

static void check_error(int code, const struct astshm_error *error)
{
	if (!is_documented(code))
		fprintf(stderr, "error %d: %s\n", code, error->text);
	fuzz_expect(is_documented(code), "a documented error");
	fuzz_expect(error->code == code && error->text[0] && !strchr(error->text, '\n'),
		    "an error is a line");
	if (code == -ETIMEDOUT)
		seen.late++;
}

/* --- passes ---------------------------------------------------------------------- */

/* From here on the heap is watched. */
static void watch(size_t size)
{
	heap_limit(MEMORY_LEAST + MEMORY_FACTOR * size);
}

static void watch_no_more(size_t size)
{
	if (size > 0 && heap_peak() > MEMORY_LEAST / 16 && heap_peak() * 100 / size > seen.most)
		seen.most = heap_peak() * 100 / size;
	heap_limit(SIZE_MAX);
}

/* What a pass over an image of that size gives, or NULL. */
static struct astshm_snapshot *look(struct astshm_reader *reader, unsigned flags, size_t size)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error = { .text = "" };

	watch(size);
	int code = astshm_reader_snapshot(reader, flags, &snapshot, &error);
	watch_no_more(size);
	if (code != 0) {
		fuzz_expect(!snapshot, "no snapshot with an error");
		check_error(code, &error);
		return NULL;
	}
	return snapshot;
}

static uint64_t bad_records(const struct astshm_snapshot *snapshot)
{
	return astshm_snapshot_segment(snapshot)->bad_records;
}

static void count_pass(const struct astshm_snapshot *snapshot)
{
	if (bad_records(snapshot) > 0)
		seen.partly++;
	else
		seen.whole++;
}

/*
 * The same bytes twice, and with what each thread did. A list that is off may be
 * cut at another place then; and a reader that knew the bytes before they were
 * changed may show what it knew until it looks at everything anew.
 */
static struct astshm_snapshot *look_twice(struct astshm_reader *reader, size_t size, bool fresh)
{
	struct astshm_snapshot *first = look(reader, 0, size), *again = look(reader, 0, size);
	struct astshm_snapshot *threads = look(reader, ASTSHM_PER_THREAD, size);

	if (first && again && (fresh || bad_records(first) + bad_records(again) == 0))
		check_same(first, again);
	if (first && threads && bad_records(first) + bad_records(threads) == 0)
		check_same(first, threads);
	if (threads)
		check_snapshot(threads);
	if (first)
		count_pass(first);
	astshm_snapshot_free(&again);
	astshm_snapshot_free(&threads);
	return first;
}

/* --- the past ------------------------------------------------------------ */

static bool is_past_error(int code)
{
	return is_documented(code) || code == -ENODATA;
}

/* The oldest entry, and the last. */
static void look_at_entries(const struct astshm_history *history)
{
	size_t count = astshm_history_count(history);

	for (size_t i = 0; i < count; i += count > 1 ? count - 1 : 1) {
		struct astshm_snapshot *snapshot = NULL;
		int code = astshm_history_snapshot(history, i, &snapshot, NULL);

		fuzz_expect(code == 0 || is_past_error(code), "a documented error of an entry");
		if (snapshot)
			check_snapshot(snapshot);
		astshm_snapshot_free(&snapshot);
	}
}

static void look_back(struct astshm_reader *reader, size_t size)
{
	struct astshm_history *history = NULL;
	struct astshm_snapshot *snapshot = NULL;

	watch(size);
	int code = astshm_reader_history(reader, &history, NULL);
	watch_no_more(size);
	fuzz_expect(code == 0 || is_past_error(code), "a documented error of a history");
	seen.pasts += code == 0;
	if (history)
		look_at_entries(history);
	astshm_history_free(&history);
	watch(size);
	code = astshm_reader_window(reader, 1500000, 0, &snapshot, NULL);
	watch_no_more(size);
	fuzz_expect(code == 0 || is_past_error(code), "a documented error of a window");
	if (snapshot && astshm_snapshot_window(snapshot))
		check_snapshot(astshm_snapshot_window(snapshot));
	astshm_snapshot_free(&snapshot);
}

/* --- points -------------------------------------------------------------------------- */

static void read_point(struct astshm_reader *reader, const struct astshm_point *point)
{
	static uint64_t slots[ASTSHM_HISTOGRAM_SLOTS];
	struct astshm_histogram histogram;
	struct astshm_gauge_value gauge;
	int64_t value;
	int code;

	if (point->kind == ASTSHM_KIND_COUNTER)
		code = astshm_reader_counter(reader, point, &value);
	else if (point->kind == ASTSHM_KIND_GAUGE)
		code = astshm_reader_gauge(reader, point, &gauge);
	else
		code = astshm_reader_histogram(reader, point, &histogram, slots);
	fuzz_expect(code == 0 || code == -ESTALE || code == -ENOENT || is_documented(code),
		    "a documented error of a point");
}

/* Returns how many were found. */
static size_t find_points(struct astshm_reader *reader, const struct astshm_snapshot *snapshot,
			  struct astshm_point *points)
{
	size_t count = astshm_snapshot_count(snapshot), found = 0;

	for (size_t i = 0; i < count && found < POINTS; i += 1 + count / POINTS) {
		const struct astshm_series *series = astshm_snapshot_at(snapshot, i);
		struct astshm_tag tags[ASTSHM_TAGS_MAX];

		for (uint32_t j = 0; j < series->tag_count; j++)
			tags[j] = (struct astshm_tag){ series->tags[j].key,
						       series->tags[j].value };
		int code = astshm_reader_resolve(reader, series->kind, series->family->name, tags,
						 series->tag_count, &points[found]);
		fuzz_expect(code == 0 || code == -ETIMEDOUT, "what a pass shows can be found");
		found += code == 0;
	}
	return found;
}

/* --- an image in memory ----------------------------------------------------------------- */

/* The bytes that a reader is promised not to go beyond. */
static size_t committed_of(const uint8_t *bytes, size_t size)
{
	struct segment_image image = { (uint8_t *)(uintptr_t)bytes, size, size };
	size_t at = offsetof(struct astshm_segment_header, committed_bytes);
	uint64_t committed = segment_get(&image, at, 8);

	if (size < ASTSHM_SEGMENT_HEADER_BYTES || committed > size)
		return size;
	/* To say that it is too small the header has to be read. */
	return committed < ASTSHM_SEGMENT_HEADER_BYTES ? ASTSHM_SEGMENT_HEADER_BYTES :
							 (size_t)committed;
}

/* In place, as a writer does it; what was mapped stays what there is. */
static void change(uint8_t *base, size_t end, size_t claimed, struct fuzz_random *random)
{
	struct segment_image image = { base, end, end };
	size_t committed_at = offsetof(struct astshm_segment_header, committed_bytes);
	size_t count = 1 + fuzz_random_below(random, 6);

	for (size_t i = 0; i < count; i++)
		segment_damage(&image, random);
	uint64_t committed = segment_get(&image, committed_at, 8);
	if (committed > end && committed <= claimed)
		segment_put(&image, committed_at, 8, end);
}

static struct astshm_reader *attach(const uint8_t *base, size_t size)
{
	struct astshm_reader *reader = NULL;
	struct astshm_error error = { .text = "" };

	watch(size);
	int code = astshm_reader_open_memory(&reader, base, size, &error);
	watch_no_more(size);
	if (code != 0) {
		fuzz_expect(!reader, "no reader with an error");
		check_error(code, &error);
		seen.refused++;
	}
	return reader;
}

static void read_memory(const uint8_t *bytes, size_t size, struct fuzz_random *random)
{
	struct astshm_point points[POINTS];
	size_t end = committed_of(bytes, size);
	uint8_t *base = flush_put(bytes, end);
	struct astshm_reader *reader = attach(base, size);
	struct astshm_snapshot *older = reader ? look_twice(reader, size, true) : NULL;
	size_t count = older ? find_points(reader, older, points) : 0;

	if (older)
		check_snapshot(older);
	if (reader)
		look_back(reader, size);
	for (int i = 0; reader && i < CHANGES; i++) {
		change(base, end, size, random);
		for (size_t j = 0; j < count; j++)
			read_point(reader, &points[j]);
		struct astshm_snapshot *newer = look_twice(reader, size, false);
		if (newer && older)
			check_derived(newer, older);
		astshm_snapshot_free(&older);
		older = newer;
		look_back(reader, size);
	}
	astshm_snapshot_free(&older);
	astshm_reader_close(&reader);
}

/* --- a file -------------------------------------------------------------------------------- */

static void mend(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (!astshm_reader_handle_sigbus(info->si_addr))
		signal(number, SIG_DFL); /* the instruction runs again, now fatally */
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fuzz_expect(file >= 0 && write(file, bytes, size) == (ssize_t)size, "a file");
	close(file);
}

static void list_file(const char *path)
{
	struct astshm_listing listing;
	struct astshm_error error = { .text = "" };

	fuzz_expect(astshm_list_path(path, &listing, &error) == 0, "the file is there");
	fuzz_expect(listing.error == 0 || is_documented(listing.error), "a documented error");
	int code = astshm_prune(path, &error);
	fuzz_expect(code == 0 || code == -EBADMSG, "nobody writes this file");
}

/* With the file as it is, and then cut short under the mapping. */
static void read_file(const uint8_t *bytes, size_t size, struct fuzz_random *random)
{
	struct sigaction action = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO }, before;
	struct astshm_reader *reader = NULL;
	struct astshm_error error = { .text = "" };
	char path[64];

	snprintf(path, sizeof path, "/dev/shm/fuzz-segment-%d", (int)getpid());
	write_file(path, bytes, size);
	sigaction(SIGBUS, &action, &before);
	int code = astshm_reader_open(&reader, path, NULL, &error);
	if (code != 0)
		check_error(code, &error);
	for (int i = 0; reader && i < 2; i++) {
		struct astshm_snapshot *snapshot = look(reader, ASTSHM_PER_THREAD, size);

		seen.broken += i == 1 && !snapshot;
		astshm_snapshot_free(&snapshot);
		fuzz_expect(truncate(path, (off_t)fuzz_random_below(random, size)) == 0, "a cut");
		fuzz_expect(astshm_reader_state(reader) != ASTSHM_STATE_NONE, "a state");
	}
	astshm_reader_close(&reader);
	list_file(path);
	unlink(path);
	sigaction(SIGBUS, &before, NULL);
	seen.files++;
}

/* --- an input -------------------------------------------------------------------------------- */

/* What is done to an image depends on nothing but its bytes. */
static uint64_t hash_of(const uint8_t *bytes, size_t size)
{
	uint64_t hash = size;

	for (size_t i = 0; i + 8 <= size; i += 8) {
		uint64_t word;

		memcpy(&word, bytes + i, 8);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_random random = { hash_of(bytes, size) };

	if (size > FUZZ_INPUT_MAX)
		return 0;
	if (fuzz_random_below(&random, 4) == 0)
		read_file(bytes, size, &random);
	read_memory(bytes, size, &random);
	return 0;
}

/* --- changes ----------------------------------------------------------- */

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t room) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);

/* libFuzzer's: mostly by what the layout says, now and then by what it knows itself. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
	struct fuzz_random random = { seed };
	struct segment_image image = { bytes, size, room };

	if (LLVMFuzzerMutate && fuzz_random_below(&random, 8) == 0)
		return LLVMFuzzerMutate(bytes, size, room);
	size_t count = 1 + fuzz_random_below(&random, 4);
	for (size_t i = 0; i < count; i++)
		segment_damage(&image, &random);
	return image.size;
}

static void reshape(struct fuzz_input *input, struct fuzz_random *random)
{
	struct segment_image image = { input->bytes, input->size, FUZZ_INPUT_MAX };

	segment_damage(&image, random);
	input->size = image.size;
}

static const char *word(size_t index)
{
	static const char *const words[] = { "astshm", "\xff\xff\xff\xff", "[k=v]", "__other__" };

	return index < sizeof words / sizeof words[0] ? words[index] : NULL;
}

static bool report(void)
{
	printf("refused %llu, snapshots whole %llu, in part %llu, late %llu, files %llu, of "
	       "which broken %llu, histories %llu, documents %llu, memory at most "
	       "%zu.%02zu times the image\n",
	       seen.refused, seen.whole, seen.partly, seen.late, seen.files, seen.broken,
	       seen.pasts, check_documents, seen.most / 100, seen.most % 100);
	return seen.refused > 0 && seen.whole > 0 && seen.partly > 0 && seen.broken > 0 &&
	       seen.pasts > 0;
}

const struct fuzz_target fuzz_target = { .seed = segment_seed, .word = word,
					 .reshape = reshape, .report = report,
					 .size_max = FUZZ_INPUT_MAX, .rigid = true };
