/* SPDX-License-Identifier: MIT */
/*
 * Recordings of feeds for astshm-cat: whole, cut off, damaged, or nothing of the kind.
 */
#include <errno.h>
#include <string.h>

#include "feed_head.h"
#include "recording.h"
#include "target.h"

#define FRAME_BYTES_MAX 512
#define FRAMES_BEHIND 20
#define PIECE_BYTES 300

static uint64_t read_whole, read_with_gaps, refused, mended;

/* --- frames that are as they should be --------------------------------- */

/* {"schema", "timestamp_ns", "segment", "families", "metrics"} in msgpack. */
static size_t put_frame(uint8_t *into, uint8_t number)
{
	static const char before[] = "\x85\xa6schema\xb1" "astshm.snapshot/1\xactimestamp_ns\x01"
		"\xa7segment\x84\xa4name\xa1" "a\xa3pid\x01\xa5state\xa4live\xaageneration\xb0"
		"000000000000000";
	static const char behind[] = "\xa8" "families\x81\xa1" "c\x81\xa4kind\xa7" "counter"
		"\xa7metrics\x81\xa8" "counters\x81\xa1" "c\x81\xa5value\xcd\x12\x34";
	uint8_t *at = into + FEED_HEAD_BYTES;

	memcpy(at, before, sizeof(before) - 1);
	at += sizeof(before) - 1;
	*at++ = '0' + number;
	memcpy(at, behind, sizeof(behind) - 1);
	at += sizeof(behind) - 1;
	feed_head_write(into, number, (uint32_t)(at - into - FEED_HEAD_BYTES));
	return (size_t)(at - into);
}

/* --- what must hold ------------------------------------------------------ */

struct outcome {
	int result;
	size_t kept; /* the most that had to be there again */
	size_t sources;
	struct skipped skipped;
};

/* As many bytes more at a time as `piece` says, with those that were left before. */
static int take_all(struct recording *recording, const char *bytes, size_t size, size_t piece,
		    size_t *kept)
{
	struct astshm_error error = { 0 };
	size_t done = 0, known = 0, used;
	int result = 0;

	while (result == 0 && known < size) {
		known = size - known > piece ? known + piece : size;
		result = recording_take(recording, bytes + done, known - done, known == size,
					&used, &error);
		fuzz_expect(used <= known - done, "no more is used than there is");
		done += used;
		*kept = known - done > *kept ? known - done : *kept;
	}
	return result;
}

static struct outcome decode(const void *bytes, size_t size, bool merge, size_t piece)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error = { 0 };
	struct recording recording;
	struct outcome outcome = { 0 };
	/* Memory of its own size: a byte too far is one outside. */
	char *copy = malloc(size + (size == 0));

	fuzz_expect(copy, "memory");
	memcpy(copy, bytes, size);
	recording_init(&recording, merge);
	outcome.result = take_all(&recording, copy, size, piece, &outcome.kept);
	free(copy); /* a snapshot keeps nothing of it */
	if (outcome.result == 0)
		outcome.result = recording_finish(&recording, &snapshot, &error);
	fuzz_expect((outcome.result == 0) == (snapshot != NULL), "a snapshot or an error");
	if (snapshot) {
		while (astshm_snapshot_source(snapshot, outcome.sources))
			outcome.sources++;
		outcome.sources += astshm_snapshot_segment(snapshot) != NULL;
		outcome.skipped = recording.skipped;
	}
	astshm_snapshot_free(&snapshot);
	recording_fini(&recording);
	return outcome;
}

/* However the bytes come, it is the same. */
static void check_pieces(const void *bytes, size_t size, bool merge, const struct outcome *whole)
{
	struct outcome pieces = decode(bytes, size, merge, size / 12 + size % 29 + 1);

	fuzz_expect(pieces.result == whole->result, "the same result in pieces");
	fuzz_expect(pieces.sources == whole->sources, "the same sources in pieces");
	fuzz_expect(pieces.skipped.bytes == whole->skipped.bytes, "the same is skipped in pieces");
}

static bool has_magic(const uint8_t *bytes, size_t size)
{
	return feed_head_find(bytes, size) < size;
}

/* Whatever lies between frames, if none can begin in it, costs none of them. */
static void check_mended(const uint8_t *bytes, size_t size)
{
	static uint8_t whole[FUZZ_INPUT_MAX + (1 + FRAMES_BEHIND) * FRAME_BYTES_MAX];
	size_t count = put_frame(whole, 1);
	struct outcome outcome;

	if (has_magic(bytes, size))
		return;
	memcpy(whole + count, bytes, size);
	count += size;
	for (int i = 0; i < FRAMES_BEHIND; i++)
		count += put_frame(whole + count, i % 2 ? 1 : 2);
	outcome = decode(whole, count, true, PIECE_BYTES);
	fuzz_expect(outcome.result == 0, "two are whole");
	fuzz_expect(outcome.sources == 2, "both are found");
	fuzz_expect(outcome.skipped.bytes == size && outcome.skipped.places == (size > 0),
		    "the rest is told of");
	fuzz_expect(outcome.kept <= size + PIECE_BYTES + FRAME_BYTES_MAX,
		    "what is done is not kept");
	mended++;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (int merge = 0; merge < 2; merge++) {
		struct outcome whole = decode(bytes, size, merge, size);

		fuzz_expect(whole.result == 0 || whole.result == -EBADMSG ||
			    whole.result == -ENODATA || whole.result == -EPROTONOSUPPORT ||
			    (merge && whole.result < 0), "an error that is known");
		fuzz_expect(whole.skipped.bytes <= size &&
			    whole.skipped.places <= whole.skipped.bytes,
			    "no more is skipped than there is");
		check_pieces(bytes, size, merge, &whole);
		read_whole += whole.result == 0 && whole.skipped.bytes == 0;
		read_with_gaps += whole.result == 0 && whole.skipped.bytes > 0;
		refused += whole.result < 0;
	}
	check_mended(bytes, size);
	return 0;
}

/* --- seeds ----------------------------------------------------------------- */

/* Three writers; with the beginning cut off; a document alone; nothing of the kind. */
static bool seed(size_t index, struct fuzz_input *input)
{
	static const struct {
		uint8_t frames;
		size_t cut;
	} seeds[] = { { 3, 0 }, { 3, 30 }, { 1, FEED_HEAD_BYTES }, { 1, FEED_HEAD_BYTES + 1 } };

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return false;
	input->size = 0;
	for (uint8_t i = 0; i < seeds[index].frames; i++)
		input->size += put_frame(input->bytes + input->size, i + 1);
	input->size -= seeds[index].cut;
	memmove(input->bytes, input->bytes + seeds[index].cut, input->size);
	return true;
}

static const char *word(size_t index)
{
	static const char *const words[] = {
		"\xc1" "asf", "\xc1" "asf\x01\x01", "\xc1" "asf\x02", "\xc1", "\x85\xa6schema",
		"\xb1" "astshm.snapshot/2", "generation", "\xdf\xff\xff\xff\xff", "\xc4\xff",
	};

	return index < sizeof(words) / sizeof(words[0]) ? words[index] : NULL;
}

static bool report(void)
{
	printf("whole %llu, with gaps %llu, refused %llu, mended %llu\n",
	       (unsigned long long)read_whole, (unsigned long long)read_with_gaps,
	       (unsigned long long)refused, (unsigned long long)mended);
	return read_whole > 0 && read_with_gaps > 0 && refused > 0 && mended > 0;
}

const struct fuzz_target fuzz_target = { .seed = seed, .word = word, .report = report,
					 .size_max = 4096 };
