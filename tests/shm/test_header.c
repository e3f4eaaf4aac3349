/* SPDX-License-Identifier: MIT */
/*
 * A segment is a stranger's input: every word of the header, wrong on its own.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_BYTES 16384u

static struct fixture fixture;
static _Alignas(64) uint8_t image[IMAGE_BYTES];
#define HEADER ((struct astshm_segment_header *)(void *)image)

/* A good image; `table` of `count` elements whose first extent is at 8192. */
static void make_image(void)
{
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_create(&fixture, &segment), 0);
	memset(image, 0, sizeof image);
	memcpy(image, segment.base, FIXTURE_FIRST_BYTES);
	shm_close(&segment, NULL);
	HEADER->committed_bytes = IMAGE_BYTES;
	HEADER->series.count = 20;
	HEADER->series.extent_off[0] = 8192;
	HEADER->series.extent_off[1] = 8192 + 16 * 128;
}

struct mutation {
	const char *what;
	size_t offset;
	size_t size;
	uint64_t value;
	int code;
};

#define FIELD(field) #field, offsetof(struct astshm_segment_header, field), \
		sizeof ((struct astshm_segment_header *)0)->field

static const struct mutation mutations[] = {
	{ FIELD(magic), 0, -EBADMSG },
	{ FIELD(magic), 0x314d485354534101, -EBADMSG },
	{ FIELD(magic), 0x0041535453484d31, -EPROTONOSUPPORT }, /* byte-swapped */
	{ FIELD(byte_order), 0x04030201, -EPROTONOSUPPORT },
	{ FIELD(header_bytes), 0, -EBADMSG },
	{ FIELD(header_bytes), 4088, -EBADMSG },
	{ FIELD(header_bytes), 4097, -EBADMSG },
	{ FIELD(header_bytes), 0xfffffff8, -EBADMSG },
	{ FIELD(major_version), 0, -EPROTONOSUPPORT },
	{ FIELD(major_version), 2, -EPROTONOSUPPORT },
	{ FIELD(series_bytes), 120, -EBADMSG },
	{ FIELD(series_bytes), 129, -EBADMSG },
	{ FIELD(family_bytes), 56, -EBADMSG },
	{ FIELD(slot_bytes), 0, -EBADMSG },
	{ FIELD(block_header_bytes), 24, -EBADMSG },
	{ FIELD(chunk_cells), 63, -EBADMSG },
	{ FIELD(chunk_cells), 0, -EBADMSG },
	{ FIELD(histogram_slots), 3065, -EBADMSG },
	{ FIELD(histogram_scale), 7, -EBADMSG },
	{ FIELD(max_bytes), IMAGE_BYTES - 1, -EBADMSG },
	{ FIELD(max_bytes), 0, -EBADMSG },
	{ FIELD(max_bytes), ((uint64_t)1 << 40) + 1, -EBADMSG },
	{ FIELD(max_bytes), UINT64_MAX, -EBADMSG },
	{ FIELD(generation), 0, -EBADMSG },
	{ FIELD(name_len), 256, -EBADMSG },
	{ FIELD(name_len), UINT32_MAX, -EBADMSG },
	{ "name[0]", offsetof(struct astshm_segment_header, name), 1, 0xff, -EBADMSG },
	{ FIELD(committed_bytes), 0, -EBADMSG },
	{ FIELD(committed_bytes), 4095, -EBADMSG },
	{ FIELD(committed_bytes), IMAGE_BYTES + 1, -EBADMSG },
	{ FIELD(committed_bytes), UINT64_MAX, -EBADMSG },
	{ FIELD(state), 0, -EBADMSG },
	{ FIELD(state), 3, -EBADMSG },
	{ FIELD(series.stride), 127, -EBADMSG },
	{ FIELD(series.stride), 0, -EBADMSG },
	{ FIELD(series.stride), 132, -EBADMSG },
	{ FIELD(series.first), 0, -EBADMSG },
	{ FIELD(series.first), 3, -EBADMSG },
	{ FIELD(series.first), UINT32_MAX, -EBADMSG },
	{ FIELD(series.count), 1025, -EBADMSG },
	{ FIELD(series.limit), 19, -EBADMSG },
	{ FIELD(families.stride), 63, -EBADMSG },
	{ FIELD(families.first), 12, -EBADMSG },
	{ FIELD(families.count), UINT32_MAX, -EBADMSG },
	{ FIELD(chunks.stride), 4, -EBADMSG },
	{ FIELD(chunks.first), 0, -EBADMSG },
	{ FIELD(slots.stride), 8, -EBADMSG },
	{ FIELD(slots.count), 1025, -EBADMSG },
	/* What a later minor version may bring, and what says nothing. */
	{ FIELD(minor_version), 7, 0 },
	{ FIELD(header_bytes), 8192, 0 },
	{ FIELD(series_bytes), 192, 0 },
	{ FIELD(series.stride), 192, 0 },
	{ FIELD(series.first), 1, 0 },
	{ FIELD(max_bytes), (uint64_t)1 << 34, 0 },
	{ FIELD(state), ASTSHM_SEGMENT_CLOSED, 0 },
	{ FIELD(recording), 99, 0 },
	{ FIELD(pid), 0, 0 },
	{ FIELD(name_len), 0, 0 },
	{ FIELD(epoch), 0, 0 },
	{ FIELD(series.extent_off[0]), 3, 0 }, /* found when it is used */
};

static void apply(const struct mutation *mutation)
{
	make_image();
	memcpy(image + mutation->offset, &mutation->value, mutation->size);
}

static void every_wrong_word_of_the_header_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++) {
		struct astshm_error error = { 0 };
		apply(&mutations[i]);
		int code = shm_check_header(image, IMAGE_BYTES, &error);
		if (code != mutations[i].code)
			fail_msg("%s = %#llx: %d, expected %d", mutations[i].what,
				 (unsigned long long)mutations[i].value, code, mutations[i].code);
		assert_int_equal(error.text[0] != 0, code != 0);
	}
}

static void largest_size_is_a_tebibyte(void **state)
{
	(void)state;
	make_image();
	HEADER->max_bytes = (uint64_t)1 << 40;
	assert_int_equal(shm_check_header(image, IMAGE_BYTES, NULL), 0);
	HEADER->max_bytes++;
	assert_int_equal(shm_check_header(image, IMAGE_BYTES, NULL), -EBADMSG);
}

static void write_image(const char *path, size_t bytes)
{
	unlink(path);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, bytes), bytes);
	close(fd);
}

/* The same again through a file: attaching must not trust more than checking. */
static void attach_refuses_what_the_check_refuses(void **state)
{
	(void)state;
	fixture_init(&fixture, __func__);
	for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++) {
		struct shm_segment reader = SHM_SEGMENT_INIT;
		apply(&mutations[i]);
		fixture_init(&fixture, "attach_refuses");
		write_image(fixture.path, IMAGE_BYTES);
		assert_int_equal(shm_attach(&reader, fixture.name, NULL), mutations[i].code);
		if (mutations[i].code == 0)
			shm_close(&reader, NULL);
		assert_int_equal(reader.fd, -1);
		unlink(fixture.path);
	}
}

static void truncated_files_are_refused_at_every_length(void **state)
{
	(void)state;
	make_image();
	fixture_init(&fixture, __func__);
	const size_t lengths[] = { 0, 1, 7, 8, 104, 512, 4095, 4096, 8192, IMAGE_BYTES - 1 };
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct shm_segment reader;
		write_image(fixture.path, lengths[i]);
		assert_int_equal(shm_attach(&reader, fixture.name, NULL), -EBADMSG);
	}
}

static void truncation_after_attaching_is_noticed_before_a_byte_is_touched(void **state)
{
	(void)state;
	struct shm_segment reader;
	make_image();
	fixture_init(&fixture, __func__);
	write_image(fixture.path, IMAGE_BYTES);
	assert_int_equal(shm_attach(&reader, fixture.name, NULL), 0);
	assert_int_equal(shm_committed(&reader), IMAGE_BYTES);
	assert_int_equal(truncate(fixture.path, IMAGE_BYTES - 4096), 0);
	assert_int_equal(shm_committed(&reader), 0);
	assert_int_equal(truncate(fixture.path, 0), 0);
	assert_int_equal(shm_committed(&reader), 0);
	shm_close(&reader, NULL);
}

static void committed_size_that_leaves_the_mapping_is_refused(void **state)
{
	(void)state;
	struct shm_segment reader;
	make_image();
	HEADER->max_bytes = IMAGE_BYTES;
	fixture_init(&fixture, __func__);
	write_image(fixture.path, IMAGE_BYTES);
	assert_int_equal(shm_attach(&reader, fixture.name, NULL), 0);
	const uint64_t sizes[] = { IMAGE_BYTES + 1, UINT64_MAX, 0, 4095 };
	int fd = open(fixture.path, O_RDWR | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 4 * IMAGE_BYTES), 0);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		assert_int_equal(pwrite(fd, &sizes[i], 8, 512), 8);
		assert_int_equal(shm_committed(&reader), 0);
	}
	close(fd);
	shm_close(&reader, NULL);
}

static void noise_is_refused(void **state)
{
	(void)state;
	srandom(7);
	for (int round = 0; round < 2000; round++) {
		make_image();
		/* Keep the identity, so that the checks behind it are reached. */
		for (int n = 0; n < 1 + round % 64; n++)
			image[32 + random() % (4096 - 32)] = (uint8_t)random();
		int code = shm_check_header(image, IMAGE_BYTES, NULL);
		assert_true(code == 0 || code == -EBADMSG);
		for (uint32_t i = 0; code == 0 && i < 64; i++) {
			const uint8_t *element = shm_table_element(
				image, IMAGE_BYTES, &HEADER->series, i, 128);
			assert_true(!element || (element >= image + 4096 &&
						 element + 128 <= image + IMAGE_BYTES));
		}
	}
	assert_int_equal(shm_check_header(image + 1, IMAGE_BYTES - 1, NULL), -EINVAL);
}

static const void *element(uint32_t index)
{
	return shm_table_element(image, HEADER->committed_bytes, &HEADER->series, index, 128);
}

static void elements_lie_where_the_layout_says(void **state)
{
	(void)state;
	make_image();
	assert_ptr_equal(element(0), image + 8192);
	assert_ptr_equal(element(15), image + 8192 + 15 * 128);
	assert_ptr_equal(element(16), image + 8192 + 16 * 128);
	assert_ptr_equal(element(19), image + 8192 + 19 * 128);
	assert_null(element(20));
	assert_null(element(UINT32_MAX));
	HEADER->series.stride = 256;
	assert_ptr_equal(element(3), image + 8192 + 3 * 256);
}

static struct shm_table_run run(uint32_t index, uint64_t committed)
{
	return shm_table_run(image, committed, &HEADER->series, index, 128);
}

static void runs_end_with_the_extent_the_count_and_the_segment(void **state)
{
	(void)state;
	make_image();
	const uint64_t committed = HEADER->committed_bytes;
	const struct { uint32_t index, count; } runs[] = {
		{ 0, 16 }, { 3, 13 }, { 15, 1 }, { 16, 4 }, { 19, 1 },
	};
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		struct shm_table_run found = run(runs[i].index, committed);
		assert_ptr_equal(found.first, element(runs[i].index));
		assert_int_equal(found.step, 128);
		assert_int_equal(found.count, runs[i].count);
	}
	assert_null(run(20, committed).first);
	assert_int_equal(run(20, committed).count, 0);
	/* Room for two and a half. */
	assert_int_equal(run(0, 8192 + 2 * 128 + 64).count, 2);
	assert_int_equal(run(2, 8192 + 2 * 128 + 64).count, 0);
}

static void places_of_elements_agree_with_counting(void **state)
{
	(void)state;
	for (uint32_t first = 1; first <= 64; first *= 2) {
		uint32_t index = 0;
		for (uint32_t extent = 0; extent < 6; extent++) {
			uint32_t elements = shm_table_extent_elements(first, extent);
			for (uint32_t place = 0; place < elements; place++, index++) {
				uint32_t found_extent, found_place;
				shm_table_locate(first, index, &found_extent, &found_place);
				assert_int_equal(found_extent, extent);
				assert_int_equal(found_place, place);
			}
		}
	}
}

static void assert_no_element(uint32_t index)
{
	assert_null(element(index));
	make_image();
	assert_non_null(element(index));
}

static void element_outside_of_what_may_be_touched_is_none(void **state)
{
	(void)state;
	make_image();
	HEADER->series.extent_off[0] = 0;
	assert_no_element(0);
	HEADER->series.extent_off[0] = 64; /* inside the header */
	assert_no_element(0);
	HEADER->series.extent_off[0] = 8192 + 8;
	assert_no_element(0);
	HEADER->series.extent_off[0] = IMAGE_BYTES;
	assert_no_element(0);
	HEADER->series.extent_off[0] = IMAGE_BYTES - 64;
	assert_no_element(0);
	HEADER->series.extent_off[0] = UINT64_MAX - 63;
	assert_no_element(1);
	HEADER->series.extent_off[1] = IMAGE_BYTES - 128;
	assert_no_element(17);
	HEADER->committed_bytes = 8192 + 127;
	assert_no_element(0);
	HEADER->series.first = 0;
	assert_no_element(0);
	HEADER->series.first = 6;
	assert_no_element(0);
	HEADER->series.stride = 64;
	assert_no_element(0);
	HEADER->series.stride = UINT32_MAX - 7;
	assert_no_element(1);
	HEADER->series.first = 1;
	HEADER->series.count = UINT32_MAX;
	HEADER->series.limit = UINT32_MAX;
	assert_null(element((uint32_t)1 << 30)); /* an extent past the last */
}

static int teardown(void **state)
{
	(void)state;
	fixture_fini(&fixture);
	return 0;
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_wrong_word_of_the_header_is_refused),
		CASE(largest_size_is_a_tebibyte),
		CASE(attach_refuses_what_the_check_refuses),
		CASE(truncated_files_are_refused_at_every_length),
		CASE(truncation_after_attaching_is_noticed_before_a_byte_is_touched),
		CASE(committed_size_that_leaves_the_mapping_is_refused),
		CASE(noise_is_refused),
		CASE(elements_lie_where_the_layout_says),
		CASE(runs_end_with_the_extent_the_count_and_the_segment),
		CASE(places_of_elements_agree_with_counting),
		CASE(element_outside_of_what_may_be_touched_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
