/* SPDX-License-Identifier: MIT */
/* Listing the segments of the machine, and pruning dead ones. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name that shm_list looks at. */
static void write_segment(struct fixture *fixture, const char *name)
{
	snprintf(fixture->path, sizeof fixture->path, "/dev/shm/astshm.test-%d-%s",
		 (int)getpid(), name);
	image_write(&fixture->image, fixture->path);
}

static int lock_file(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	return fd;
}

struct found {
	const char *path;
	struct astshm_listing listing;
	int times;
};

static int find(const struct astshm_listing *listing, void *context)
{
	struct found *found = context;
	if (strcmp(listing->path, found->path) != 0)
		return 0;
	found->listing = *listing;
	found->times++;
	return 0;
}

static struct astshm_listing list_own(struct fixture *fixture)
{
	struct found found = { .path = fixture->path };
	assert_int_equal(astshm_list(find, &found, NULL), 0);
	assert_int_equal(found.times, 1);
	return found.listing;
}

static void listing_says_what_the_header_says(void **state)
{
	struct fixture *fixture = *state;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	image_metric(&fixture->image, ASTSHM_KIND_TIMING, "t");
	image_slot(&fixture->image, 5, "t");
	write_segment(fixture, "says");
	struct astshm_listing listing = list_own(fixture);
	assert_int_equal(listing.error, 0);
	assert_int_equal(listing.state, ASTSHM_STATE_DEAD);
	assert_int_equal(listing.pid, fixture->image.header->pid);
	assert_int_equal(listing.series, 2);
	assert_int_equal(listing.threads, 2);
	assert_int_equal(listing.bytes, fixture->image.next_off);
	assert_int_equal(listing.generation, fixture->image.header->generation);
	int fd = lock_file(fixture->path);
	assert_int_equal(list_own(fixture).state, ASTSHM_STATE_LIVE);
	close(fd);
	fixture->image.header->state = ASTSHM_SEGMENT_CLOSED;
	image_write(&fixture->image, fixture->path);
	assert_int_equal(list_own(fixture).state, ASTSHM_STATE_CLOSED);
}

static void corrupt_segments_are_listed_with_their_error(void **state)
{
	struct fixture *fixture = *state;
	fixture->image.header->committed_bytes = UINT64_MAX;
	write_segment(fixture, "corrupt");
	struct astshm_listing listing = list_own(fixture);
	assert_int_equal(listing.error, -EBADMSG);
	assert_int_equal(listing.state, ASTSHM_STATE_NONE);
}

static void heartbeat_of_a_listing_needs_somebody_who_beats(void **state)
{
	struct fixture *fixture = *state;
	fixture->image.header->heartbeat_monotonic_ns = 1;
	fixture->image.header->heartbeat_period_ns = 0;
	write_segment(fixture, "beats");
	assert_true(list_own(fixture).heartbeat_age_ns == UINT64_MAX);
	fixture->image.header->heartbeat_period_ns = 1000000000;
	image_write(&fixture->image, fixture->path);
	assert_int_equal(list_own(fixture).heartbeat_period_ns, 1000000000);
	assert_true(list_own(fixture).heartbeat_age_ns < UINT64_MAX);
	assert_true(list_own(fixture).heartbeat_age_ns > 0);
}

static void segment_at_any_path_is_listed(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_listing listing;
	snprintf(fixture->path, sizeof fixture->path, "/dev/shm/elsewhere-%d", (int)getpid());
	assert_int_equal(astshm_list_path(fixture->path, &listing, NULL), -ENOENT);
	assert_int_equal(astshm_list_path("a-name", &listing, NULL), -EINVAL);
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	image_write(&fixture->image, fixture->path);
	assert_int_equal(astshm_list_path(fixture->path, &listing, NULL), 0);
	assert_int_equal(listing.error, 0);
	assert_int_equal(listing.state, ASTSHM_STATE_DEAD);
	assert_int_equal(listing.series, 1);
	assert_string_equal(listing.name, fixture->path);
	assert_int_equal(truncate(fixture->path, 100), 0);
	assert_int_equal(astshm_list_path(fixture->path, &listing, NULL), 0);
	assert_int_equal(listing.error, -EBADMSG);
	assert_int_equal(astshm_list_path("/dev/shm", &listing, NULL), 0);
	assert_int_equal(listing.error, -EBADMSG);
}

static int stop_at_once(const struct astshm_listing *listing, void *context)
{
	(void)listing;
	++*(int *)context;
	return 7;
}

static void listing_ends_when_the_callback_says_so(void **state)
{
	struct fixture *fixture = *state;
	int calls = 0;
	write_segment(fixture, "stop");
	assert_int_equal(astshm_list(stop_at_once, &calls, NULL), 7);
	assert_int_equal(calls, 1);
}

static void dead_segment_is_pruned(void **state)
{
	struct fixture *fixture = *state;
	write_segment(fixture, "prune");
	assert_int_equal(astshm_prune(fixture->path, NULL), 0);
	assert_int_not_equal(access(fixture->path, F_OK), 0);
	assert_int_equal(astshm_prune(fixture->path, NULL), -ENOENT);
}

static void living_segment_is_not_pruned(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_error error = { .text = "" };
	write_segment(fixture, "living");
	int fd = lock_file(fixture->path);
	assert_int_equal(astshm_prune(fixture->path, &error), -EBUSY);
	assert_int_equal(error.code, -EBUSY);
	assert_int_equal(access(fixture->path, F_OK), 0);
	close(fd);
}

static void foreign_files_are_never_removed(void **state)
{
	struct fixture *fixture = *state;
	char link_path[300];
	fixture->image.header->magic = 1;
	write_segment(fixture, "foreign");
	assert_int_equal(astshm_prune(fixture->path, NULL), -EBADMSG);
	assert_int_equal(access(fixture->path, F_OK), 0);
	snprintf(link_path, sizeof link_path, "%s.link", fixture->path);
	assert_int_equal(symlink(fixture->path, link_path), 0);
	assert_int_equal(astshm_prune(link_path, NULL), -EBADMSG);
	unlink(link_path);
	unlink(fixture->path);
	assert_int_equal(mkfifo(fixture->path, 0600), 0);
	assert_int_equal(astshm_prune(fixture->path, NULL), -EBADMSG);
	assert_int_equal(access(fixture->path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(listing_says_what_the_header_says),
		FIXTURE_TEST(corrupt_segments_are_listed_with_their_error),
		FIXTURE_TEST(heartbeat_of_a_listing_needs_somebody_who_beats),
		FIXTURE_TEST(segment_at_any_path_is_listed),
		FIXTURE_TEST(listing_ends_when_the_callback_says_so),
		FIXTURE_TEST(dead_segment_is_pruned),
		FIXTURE_TEST(living_segment_is_not_pruned),
		FIXTURE_TEST(foreign_files_are_never_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
