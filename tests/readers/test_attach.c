/* SPDX-License-Identifier: MIT */
/* Opening, waiting, following, and what there is to be said of a writer. */
#include "fixture.h"
#include "head.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

static void set_path(struct fixture *fixture, const char *name)
{
	snprintf(fixture->path, sizeof fixture->path, "/dev/shm/astshm-test-%d-%s",
		 (int)getpid(), name);
}

/* What opening the fixture's path gives. */
static int open_code(struct fixture *fixture, struct astshm_error *error)
{
	int code = astshm_reader_open(&fixture->reader, fixture->path, NULL, error);
	if (code != 0)
		assert_null(fixture->reader); /* untouched on failure */
	return code;
}

static void check_code(struct fixture *fixture, int expected)
{
	struct astshm_error error = { .text = "" };
	int code = open_code(fixture, &error);
	if (code != expected)
		fail_msg("%d instead of %d: %s", code, expected, error.text);
	assert_true(error.text[0] != '\0');
	assert_int_equal(error.code, expected);
}

static void missing_segment_is_enoent(void **state)
{
	struct fixture *fixture = *state;
	set_path(fixture, "missing");
	check_code(fixture, -ENOENT);
}

static void files_that_are_no_segments_are_ebadmsg(void **state)
{
	struct fixture *fixture = *state;
	set_path(fixture, "garbage");
	FILE *file = fopen(fixture->path, "w");
	assert_non_null(file);
	check_code(fixture, -EBADMSG); /* empty */
	for (int i = 0; i < 10000; i++)
		fputs("garbage", file);
	fclose(file);
	check_code(fixture, -EBADMSG);
	unlink(fixture->path);
	assert_int_equal(mkfifo(fixture->path, 0600), 0);
	check_code(fixture, -EBADMSG);
	unlink(fixture->path);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	check_code(fixture, -EBADMSG);
	rmdir(fixture->path);
}

static void other_versions_are_eprotonosupport(void **state)
{
	struct fixture *fixture = *state;
	set_path(fixture, "version");
	fixture->image.header->major_version++;
	image_write(&fixture->image, fixture->path);
	check_code(fixture, -EPROTONOSUPPORT);
	fixture->image.header->major_version--;
	fixture->image.header->magic = __builtin_bswap64(ASTSHM_SEGMENT_MAGIC);
	image_write(&fixture->image, fixture->path);
	check_code(fixture, -EPROTONOSUPPORT);
}

static void later_minor_versions_with_longer_records_are_read(void **state)
{
	struct fixture *fixture = *state;
	fixture->image.header->minor_version = 7;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	fixture_open_file(fixture, "minor", false);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 1);
}

static void unreadable_file_is_eacces(void **state)
{
	struct fixture *fixture = *state;
	set_path(fixture, "permission");
	image_write(&fixture->image, fixture->path);
	chmod(fixture->path, 0);
	bool root = geteuid() == 0;
	if (root)
		assert_int_equal(seteuid(NOBODY), 0);
	struct astshm_error error = { .text = "" };
	int code = open_code(fixture, &error);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(code, -EACCES);
}

static void bad_arguments_are_einval(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_reader *reader = NULL;
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	options.size = 4;
	assert_int_equal(astshm_reader_open(&reader, NULL, NULL, NULL), -EINVAL);
	assert_int_equal(astshm_reader_open(&reader, "x", &options, NULL), -EINVAL);
	assert_int_equal(astshm_reader_open_memory(&reader, NULL, 4096, NULL), -EINVAL);
	assert_int_equal(astshm_reader_open_memory(&reader, fixture->image.base + 8, 4096, NULL),
			 -EINVAL);
	assert_int_equal(astshm_reader_open_memory(&reader, fixture->image.base, 4095, NULL),
			 -EBADMSG);
	assert_null(reader);
	astshm_reader_close(&reader);
	astshm_reader_close(NULL);
}

/* --- waiting ----------------------------------------------------------- */

static void *write_later(void *context)
{
	const struct timespec delay = { 0, 50000000 };
	struct fixture *fixture = context;
	char temporary[300];
	nanosleep(&delay, NULL);
	snprintf(temporary, sizeof temporary, "%s.new", fixture->path);
	image_write(&fixture->image, temporary);
	(void)rename(temporary, fixture->path); /* else the reader waits in vain, and says so */
	return NULL;
}

static void open_waits_for_the_segment_to_appear(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	pthread_t thread;
	options.wait_ns = INT64_C(30000000000);
	set_path(fixture, "wait");
	assert_int_equal(pthread_create(&thread, NULL, write_later, fixture), 0);
	int code = astshm_reader_open(&fixture->reader, fixture->path, &options, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(code, 0);
}

static void wait_ends_with_enoent(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_reader_options options = ASTSHM_READER_OPTIONS_INIT;
	options.wait_ns = 20000000;
	set_path(fixture, "wait-in-vain");
	assert_int_equal(astshm_reader_open(&fixture->reader, fixture->path, &options, NULL),
			 -ENOENT);
}

/* --- state ---------------------------------------------------------------- */

static void state_is_what_the_lock_and_the_header_say(void **state)
{
	struct fixture *fixture = *state;
	fixture_open_file(fixture, "state", true);
	assert_int_equal(astshm_reader_state(fixture->reader), ASTSHM_STATE_DEAD);
	int fd = open(fixture->path, O_RDWR | O_CLOEXEC);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(astshm_reader_state(fixture->reader), ASTSHM_STATE_LIVE);
	uint32_t closed = ASTSHM_SEGMENT_CLOSED;
	assert_int_equal(pwrite(fd, &closed, sizeof closed,
				offsetof(struct astshm_segment_header, state)), sizeof closed);
	close(fd);
	assert_int_equal(astshm_reader_state(fixture->reader), ASTSHM_STATE_CLOSED);
	/* No name for a moment: being replaced, which is no news yet. */
	unlink(fixture->path);
	assert_int_equal(astshm_reader_state(fixture->reader), ASTSHM_STATE_CLOSED);
	image_write(&fixture->image, fixture->path);
	assert_int_equal(astshm_reader_state(fixture->reader), ASTSHM_STATE_REPLACED);
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(astshm_state_name(ASTSHM_STATE_NONE), "none");
	assert_string_equal(astshm_state_name(ASTSHM_STATE_LIVE), "live");
	assert_string_equal(astshm_state_name(ASTSHM_STATE_CLOSED), "closed");
	assert_string_equal(astshm_state_name(ASTSHM_STATE_DEAD), "dead");
	assert_string_equal(astshm_state_name(ASTSHM_STATE_REPLACED), "replaced");
}

static void dead_writers_values_are_read(void **state)
{
	struct fixture *fixture = *state;
	image_count(&fixture->image, image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c"), 0, 5);
	fixture_open_file(fixture, "dead", true);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "c"), 5);
	assert_int_equal(astshm_snapshot_segment(fixture->snapshot)->state, ASTSHM_STATE_DEAD);
}

/* --- following -------------------------------------------------------------- */

/* A restarted writer: another file takes the name. */
static void replace(struct fixture *fixture)
{
	char temporary[300];
	snprintf(temporary, sizeof temporary, "%s.new", fixture->path);
	image_write(&fixture->image, temporary);
	assert_int_equal(rename(temporary, fixture->path), 0);
}

static void reader_follows_the_name_to_a_new_segment(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_point point;
	int64_t value;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	image_count(&fixture->image, series, 0, 5);
	fixture_open_file(fixture, "follow", true);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "c"), 5);
	assert_int_equal(astshm_reader_resolve(fixture->reader, ASTSHM_KIND_COUNTER, "c", NULL, 0,
					       &point), 0);
	image_count(&fixture->image, series, 0, 1);
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "d");
	fixture->image.header->generation = 99;
	replace(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "c"), 6);
	assert_int_equal(fixture_counter(fixture, "d"), 0);
	assert_int_equal(astshm_snapshot_segment(fixture->snapshot)->generation, 99);
	assert_int_equal(astshm_reader_counter(fixture->reader, &point, &value), -ESTALE);
}

static void head_tells_of_the_writer_alone_and_follows_the_name(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_snapshot *head = NULL;
	image_count(&fixture->image, image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c"), 0, 5);
	fixture_open_file(fixture, "head", true);
	const struct astshm_snapshot *whole = fixture_snapshot(fixture, 0);
	const struct astshm_segment_info *wanted = astshm_snapshot_segment(whole);
	assert_int_equal(reader_head(fixture->reader, &head, NULL), 0);
	const struct astshm_segment_info *told = astshm_snapshot_segment(head);
	assert_int_equal(astshm_snapshot_count(head), 0);
	assert_null(astshm_snapshot_at(head, 0));
	assert_string_equal(told->name, wanted->name);
	assert_int_equal(told->state, ASTSHM_STATE_DEAD);
	assert_int_equal(told->pid, wanted->pid);
	assert_int_equal(told->generation, wanted->generation);
	assert_int_equal(astshm_snapshot_uptime_ns(head), astshm_snapshot_uptime_ns(whole));
	astshm_snapshot_free(&head);
	fixture->image.header->generation = 99;
	replace(fixture);
	assert_int_equal(reader_head(fixture->reader, &head, NULL), 0);
	assert_int_equal(astshm_snapshot_segment(head)->generation, 99);
	astshm_snapshot_free(&head);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "c"), 5);
	assert_int_equal(truncate(fixture->path, 0), 0);
	assert_int_equal(reader_head(fixture->reader, &head, NULL), -EBADMSG);
	assert_null(head);
}

static void reader_that_does_not_follow_says_replaced(void **state)
{
	struct fixture *fixture = *state;
	image_count(&fixture->image, image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c"), 0, 5);
	fixture_open_file(fixture, "stay", false);
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "d");
	replace(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(astshm_snapshot_count(fixture->snapshot), 1);
	assert_int_equal(astshm_snapshot_segment(fixture->snapshot)->state,
			 ASTSHM_STATE_REPLACED);
}

static void reader_keeps_what_it_has_if_the_new_file_is_no_segment(void **state)
{
	struct fixture *fixture = *state;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	fixture_open_file(fixture, "no-follow", true);
	fixture->image.header->magic = 1;
	replace(fixture);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 1);
	assert_int_equal(astshm_snapshot_segment(fixture->snapshot)->state,
			 ASTSHM_STATE_REPLACED);
}

static void reader_keeps_reading_when_the_name_is_gone(void **state)
{
	struct fixture *fixture = *state;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	fixture_open_file(fixture, "unlinked", true);
	unlink(fixture->path);
	assert_int_equal(astshm_snapshot_count(fixture_snapshot(fixture, 0)), 1);
}

/* --- truncated files ---------------------------------------------------------- */

static void truncated_file_is_ebadmsg(void **state)
{
	struct fixture *fixture = *state;
	struct astshm_snapshot *snapshot = NULL;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	fixture_open_file(fixture, "truncated", true);
	assert_int_equal(truncate(fixture->path, 4096), 0);
	assert_int_equal(astshm_reader_snapshot(fixture->reader, 0, &snapshot, NULL), -EBADMSG);
	assert_int_equal(truncate(fixture->path, 0), 0);
	assert_int_equal(astshm_reader_snapshot(fixture->reader, 0, &snapshot, NULL), -EBADMSG);
	assert_int_equal(astshm_reader_state(fixture->reader), ASTSHM_STATE_DEAD);
	assert_null(snapshot);
}

static void mend(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (!astshm_reader_handle_sigbus(info->si_addr)) {
		signal(number, SIG_DFL);
		raise(number);
	}
}

/* The size was looked at before: the reader runs into the hole. */
static void file_truncated_under_a_reader_is_ebadmsg_with_a_sigbus_handler(void **state)
{
	struct fixture *fixture = *state;
	struct sigaction action = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO }, before;
	struct astshm_snapshot *snapshot = NULL;
	struct astshm_point point;
	int64_t value = 3;
	uint32_t series = image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	image_alloc(&fixture->image, 65536); /* the block lies on pages of its own */
	image_count(&fixture->image, series, 0, 5);
	fixture_open_file(fixture, "sigbus", true);
	assert_int_equal(astshm_reader_resolve(fixture->reader, ASTSHM_KIND_COUNTER, "c", NULL, 0,
					       &point), 0);
	assert_int_equal(sigaction(SIGBUS, &action, &before), 0);
	assert_int_equal(truncate(fixture->path, 8192), 0);
	int code = astshm_reader_counter(fixture->reader, &point, &value);
	assert_int_equal(sigaction(SIGBUS, &before, NULL), 0);
	assert_int_equal(code, -EBADMSG);
	assert_int_equal(value, 3);
	/* Broken for good, until the name leads to another segment. */
	assert_int_equal(astshm_reader_snapshot(fixture->reader, 0, &snapshot, NULL), -EBADMSG);
	replace(fixture);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "c"), 5);
}

static blkcnt_t blocks_of(const char *path)
{
	struct stat found;
	assert_int_equal(stat(path, &found), 0);
	return found.st_blocks;
}

/* Reading a hole through a mapping gives the file memory: a stranger's file of a
 * few pages must not come to have as many as it says. */
static void file_with_holes_stays_as_small_as_it_is(void **state)
{
	const off_t bytes = 8 << 20;
	struct fixture *fixture = *state;
	image_metric(&fixture->image, ASTSHM_KIND_COUNTER, "c");
	fixture->image.header->max_bytes = (uint64_t)bytes;
	fixture->image.header->committed_bytes = (uint64_t)bytes;
	set_path(fixture, "holes");
	image_write(&fixture->image, fixture->path);
	assert_int_equal(truncate(fixture->path, bytes), 0);
	blkcnt_t before = blocks_of(fixture->path);
	assert_int_equal(open_code(fixture, NULL), 0);
	fixture_snapshot(fixture, 0);
	assert_int_equal(fixture_counter(fixture, "c"), 0);
	assert_int_equal(blocks_of(fixture->path), before);
}

static void addresses_of_others_are_not_mended(void **state)
{
	struct fixture *fixture = *state;
	fixture_open_file(fixture, "others", true);
	assert_false(astshm_reader_handle_sigbus(fixture));
	assert_false(astshm_reader_handle_sigbus(fixture->image.base));
	assert_false(astshm_reader_handle_sigbus(NULL));
}

/* --- descriptors --------------------------------------------------------------- */

static void open_and_close_leave_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	set_path(fixture, "leak");
	image_write(&fixture->image, fixture->path);
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(before);
	for (int i = 0; i < 600; i++) { /* more than the table of SIGBUS ranges holds */
		assert_int_equal(open_code(fixture, NULL), 0);
		astshm_reader_close(&fixture->reader);
	}
	int after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(missing_segment_is_enoent),
		FIXTURE_TEST(files_that_are_no_segments_are_ebadmsg),
		FIXTURE_TEST(other_versions_are_eprotonosupport),
		FIXTURE_TEST(later_minor_versions_with_longer_records_are_read),
		FIXTURE_TEST(unreadable_file_is_eacces),
		FIXTURE_TEST(bad_arguments_are_einval),
		FIXTURE_TEST(open_waits_for_the_segment_to_appear),
		FIXTURE_TEST(wait_ends_with_enoent),
		FIXTURE_TEST(state_is_what_the_lock_and_the_header_say),
		FIXTURE_TEST(states_have_names),
		FIXTURE_TEST(dead_writers_values_are_read),
		FIXTURE_TEST(reader_follows_the_name_to_a_new_segment),
		FIXTURE_TEST(head_tells_of_the_writer_alone_and_follows_the_name),
		FIXTURE_TEST(reader_that_does_not_follow_says_replaced),
		FIXTURE_TEST(reader_keeps_what_it_has_if_the_new_file_is_no_segment),
		FIXTURE_TEST(reader_keeps_reading_when_the_name_is_gone),
		FIXTURE_TEST(truncated_file_is_ebadmsg),
		FIXTURE_TEST(file_truncated_under_a_reader_is_ebadmsg_with_a_sigbus_handler),
		FIXTURE_TEST(file_with_holes_stays_as_small_as_it_is),
		FIXTURE_TEST(addresses_of_others_are_not_mended),
		FIXTURE_TEST(open_and_close_leave_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
