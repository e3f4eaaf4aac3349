/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture fixture;

#define PATTERN_BYTES (FIXTURE_FIRST_BYTES - 4096u)

static void write_pattern(const struct shm_segment *segment)
{
	for (uint32_t i = 0; i < PATTERN_BYTES; i++)
		segment->base[4096 + i] = (uint8_t)(i * 7 + 1);
}

static void assert_pattern(const uint8_t *base)
{
	for (uint32_t i = 0; i < PATTERN_BYTES; i++)
		assert_int_equal(base[4096 + i], (uint8_t)(i * 7 + 1));
}

static void name_that_is_there_needs_nothing(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	ino_t inode = segment.inode;
	assert_int_equal(shm_republish(&segment, &fixture.error), 0);
	assert_int_equal(segment.inode, inode);
	shm_close(&segment, NULL);
}

static void removed_name_comes_back_with_everything_in_place(void **state)
{
	(void)state;
	struct shm_segment segment, reader;
	struct stat found;
	fixture_init(&fixture, __func__);
	fixture.how.mode = 0604;
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	write_pattern(&segment);
	const uint8_t *base = segment.base;
	assert_int_equal(unlink(fixture.path), 0);
	assert_int_equal(shm_is_named(&segment), 0);
	assert_int_equal(shm_republish(&segment, &fixture.error), 0);
	assert_int_equal(shm_is_named(&segment), 1);
	assert_ptr_equal(segment.base, base);
	assert_pattern(segment.base);
	assert_int_equal(lstat(fixture.path, &found), 0);
	assert_int_equal(found.st_mode & 07777, 0604);
	assert_int_equal(found.st_size, FIXTURE_FIRST_BYTES);
	assert_int_equal(shm_attach(&reader, fixture.name, &fixture.error), 0);
	assert_pattern(reader.base);
	assert_true(fixture_generation_at(fixture.path) == segment.generation);
	/* It is one memory: what is recorded now is read, and it still grows. */
	segment.base[5000] = 99;
	assert_int_equal(reader.base[5000], 99);
	assert_int_equal(shm_grow(&segment, 300000, &fixture.error), 0);
	segment.base[299999] = 5;
	assert_true(shm_committed(&reader) >= 300000);
	assert_int_equal(reader.base[299999], 5);
	shm_close(&reader, NULL);
	shm_close(&segment, NULL);
}

static void moved_segment_is_locked_and_the_old_file_is_not(void **state)
{
	(void)state;
	struct shm_segment segment, second;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	int old = open(fixture.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(unlink(fixture.path), 0);
	assert_int_equal(shm_republish(&segment, &fixture.error), 0);
	int new = open(fixture.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(shm_lock_state(new), SHM_LOCK_WRITER);
	assert_int_equal(shm_lock_state(old), SHM_LOCK_NONE);
	assert_int_equal(fixture_publish(&fixture, &second), -EBUSY);
	close(old);
	close(new);
	shm_close(&segment, NULL);
}

static void name_that_moved_elsewhere_is_linked_again_without_a_copy(void **state)
{
	(void)state;
	struct shm_segment segment;
	char other[PATH_MAX];
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	ino_t inode = segment.inode;
	snprintf(other, sizeof other, "%s", fixture_numbered(&fixture, 9));
	assert_int_equal(rename(fixture.path, other), 0);
	assert_int_equal(shm_republish(&segment, &fixture.error), 0);
	assert_int_equal(shm_is_named(&segment), 1);
	assert_int_equal(segment.inode, inode);
	shm_close(&segment, NULL);
}

static void name_that_another_writer_took_is_left_alone(void **state)
{
	(void)state;
	struct shm_segment segment, other;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	write_pattern(&segment);
	assert_int_equal(unlink(fixture.path), 0);
	assert_int_equal(fixture_publish(&fixture, &other), 0);
	assert_int_equal(shm_republish(&segment, &fixture.error), -EAGAIN);
	assert_int_equal(shm_is_named(&other), 1);
	assert_pattern(segment.base);
	shm_remove_name(&other);
	shm_close(&other, NULL);
	assert_int_equal(shm_republish(&segment, &fixture.error), 0);
	assert_pattern(segment.base);
	shm_close(&segment, NULL);
}

static void name_can_vanish_many_times(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	write_pattern(&segment);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(unlink(fixture.path), 0);
		assert_int_equal(shm_republish(&segment, &fixture.error), 0);
	}
	assert_pattern(segment.base);
	shm_close(&segment, NULL);
}

/* Words that several threads add to with one instruction stay exact even if
 * they never stop: none of these adds may be lost or counted twice. */
#define ADDERS 2
#define ADDS 300000u

struct adder {
	pthread_t thread;
	uint64_t *shared;
	uint64_t done;
};

static void *add(void *context)
{
	struct adder *adder = context;
	for (uint32_t i = 0; i < ADDS; i++) {
		__atomic_fetch_add(adder->shared, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&adder->done, i + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool is_adding(const struct adder *adders)
{
	for (int i = 0; i < ADDERS; i++)
		if (__atomic_load_n(&adders[i].done, __ATOMIC_RELAXED) < ADDS)
			return true;
	return false;
}

static void atomic_adds_are_exact_while_the_segment_moves(void **state)
{
	(void)state;
	struct shm_segment segment;
	struct adder adders[ADDERS];
	int moves = 0;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	uint64_t *shared = (void *)(segment.base + 4096);
	for (int i = 0; i < ADDERS; i++) {
		adders[i] = (struct adder){ .shared = shared };
		assert_int_equal(pthread_create(&adders[i].thread, NULL, add, &adders[i]), 0);
	}
	do {
		assert_int_equal(unlink(fixture.path), 0);
		assert_int_equal(shm_republish(&segment, &fixture.error), 0);
		moves++;
	} while (is_adding(adders));
	for (int i = 0; i < ADDERS; i++)
		pthread_join(adders[i].thread, NULL);
	assert_true(moves > 0);
	assert_true(*shared == (uint64_t)ADDERS * ADDS);
	shm_close(&segment, NULL);
}

static void failed_move_leaves_the_segment_usable(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	write_pattern(&segment);
	assert_int_equal(unlink(fixture.path), 0);
	snprintf(segment.path, sizeof segment.path, "/dev/shm/%s.gone/astshm.x", fixture.name);
	assert_int_equal(shm_republish(&segment, &fixture.error), -ENOENT);
	assert_non_null(strstr(fixture.error.text, "cannot link"));
	assert_pattern(segment.base);
	segment.base[4096] = 3;
	assert_int_equal(shm_lock_state(segment.fd), SHM_LOCK_NONE); /* one's own is none */
	assert_int_equal(shm_grow(&segment, 100000, &fixture.error), 0);
	shm_close(&segment, NULL);
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
		CASE(name_that_is_there_needs_nothing),
		CASE(removed_name_comes_back_with_everything_in_place),
		CASE(moved_segment_is_locked_and_the_old_file_is_not),
		CASE(name_that_moved_elsewhere_is_linked_again_without_a_copy),
		CASE(name_that_another_writer_took_is_left_alone),
		CASE(name_can_vanish_many_times),
		CASE(atomic_adds_are_exact_while_the_segment_moves),
		CASE(failed_move_leaves_the_segment_usable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
