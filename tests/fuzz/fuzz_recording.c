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

static int decode(const void *bytes, size_t size, bool merge, size_t *sources,
		  struct skipped *skipped)
{
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_error error = { 0 };
	/* Memory of its own size: a byte too far is one outside. */
	char *copy = malloc(size + (size == 0));

	fuzz_expect(copy, "memory");
	memcpy(copy, bytes, size);
	int result = recording_decode(copy, size, merge, &snapshot, skipped, &error);
	free(copy); /* a snapshot keeps nothing of it */
	fuzz_expect((result == 0) == (snapshot != NULL), "a snapshot or an error");
	if (snapshot) {
		while (astshm_snapshot_source(snapshot, *sources))
			++*sources;
		*sources += astshm_snapshot_segment(snapshot) != NULL;
	}
	astshm_snapshot_free(&snapshot);
	return result;
}

static bool has_magic(const uint8_t *bytes, size_t size)
{
	return feed_head_find(bytes, size) < size;
}

/* Whatever lies between two frames, if no third one can begin in it, costs neither. */
static void check_mended(const uint8_t *bytes, size_t size)
{
	static uint8_t whole[FUZZ_INPUT_MAX + 2 * FRAME_BYTES_MAX];
	size_t count = put_frame(whole, 1), sources = 0;
	struct skipped skipped = { 0 };

	if (has_magic(bytes, size))
		return;
	memcpy(whole + count, bytes, size);
	count += size;
	count += put_frame(whole + count, 2);
	fuzz_expect(decode(whole, count, true, &sources, &skipped) == 0, "two are whole");
	fuzz_expect(sources == 2, "both are found");
	fuzz_expect(skipped.bytes == size && skipped.places == (size > 0), "the rest is told of");
	mended++;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (int merge = 0; merge < 2; merge++) {
		struct skipped skipped = { 0 };
		size_t sources = 0;
		int result = decode(bytes, size, merge, &sources, &skipped);

		fuzz_expect(result == 0 || result == -EBADMSG || result == -ENODATA ||
			    result == -EPROTONOSUPPORT || (merge && result < 0),
			    "an error that is known");
		fuzz_expect(skipped.bytes <= size && skipped.places <= skipped.bytes,
			    "no more is skipped than there is");
		read_whole += result == 0 && skipped.bytes == 0;
		read_with_gaps += result == 0 && skipped.bytes > 0;
		refused += result < 0;
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
