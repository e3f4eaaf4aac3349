/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;

static void segment_is_invisible_until_published(void **state)
{
	(void)state;
	struct shm_segment segment;
	struct stat found;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_create(&fixture, &segment), 0);
	assert_int_equal(lstat(fixture.path, &found), -1);
	assert_int_equal(shm_is_named(&segment), 0);
	assert_int_equal(shm_publish(&segment, &fixture.how, &fixture.error), 0);
	assert_int_equal(shm_is_named(&segment), 1);
	assert_int_equal(lstat(fixture.path, &found), 0);
	assert_int_equal(found.st_nlink, 1);
	shm_close(&segment, NULL);
}

static void reader_sees_what_the_writer_filled_in(void **state)
{
	(void)state;
	struct shm_segment writer, reader;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &writer), 0);
	assert_int_equal(shm_attach(&reader, fixture.name, &fixture.error), 0);
	const struct astshm_segment_header *header = (const void *)reader.base;
	assert_true(reader.base != writer.base);
	assert_int_equal(header->pid, getpid());
	assert_true(header->pid_start_ticks > 0);
	assert_true(header->generation != 0 && header->generation == writer.generation);
	assert_int_equal(header->epoch, 1);
	assert_int_equal(header->counters_epoch, 1);
	assert_int_equal(header->recording, 1);
	assert_int_equal(header->state, ASTSHM_SEGMENT_LIVE);
	assert_true(header->heartbeat_monotonic_ns == header->created_monotonic_ns);
	assert_true(header->created_monotonic_ns <= shm_monotonic_ns());
	assert_true(header->created_realtime_ns <= shm_realtime_ns());
	assert_int_equal(header->name_len, strlen(fixture.name));
	assert_memory_equal(header->name, fixture.name, strlen(fixture.name));
	assert_int_equal(shm_committed(&reader), FIXTURE_FIRST_BYTES);
	assert_int_equal(reader.map_bytes, FIXTURE_MAX_BYTES);
	shm_close(&reader, NULL);
	shm_close(&writer, NULL);
}

static void explicit_path_is_used_as_it_is(void **state)
{
	(void)state;
	struct shm_segment writer, reader;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	snprintf(path, sizeof path, "/dev/shm/../shm/astshm.%s", fixture.name);
	fixture.how.name = path;
	assert_int_equal(fixture_publish(&fixture, &writer), 0);
	assert_string_equal(writer.path, path);
	assert_int_equal(shm_attach(&reader, fixture.path, &fixture.error), 0);
	const struct astshm_segment_header *header = (const void *)reader.base;
	assert_memory_equal(header->name, fixture.name, strlen(fixture.name) + 1);
	shm_close(&reader, NULL);
	shm_close(&writer, NULL);
}

static void living_writer_keeps_its_name_and_its_pid_is_told(void **state)
{
	(void)state;
	struct fixture_holder holder;
	struct shm_segment segment;
	char pid[32];
	fixture_init(&fixture, __func__);
	fixture_hold(&fixture, &holder);
	uint64_t generation = fixture_generation_at(fixture.path);
	assert_int_equal(fixture_publish(&fixture, &segment), -EBUSY);
	snprintf(pid, sizeof pid, "pid %d", (int)holder.pid);
	assert_non_null(strstr(fixture.error.text, pid));
	assert_int_equal(fixture.error.code, -EBUSY);
	assert_true(fixture_generation_at(fixture.path) == generation);
	assert_int_equal(access(fixture_numbered(&fixture, 1), F_OK), -1);
	fixture_reap(&holder, 0);
}

static void writer_of_the_same_process_is_a_living_one_too(void **state)
{
	(void)state;
	struct shm_segment first, second;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &first), 0);
	assert_int_equal(fixture_publish(&fixture, &second), -EBUSY);
	assert_int_equal(shm_is_named(&first), 1);
	shm_close(&first, NULL);
}

static void killed_writer_is_replaced_and_kept_as_evidence(void **state)
{
	(void)state;
	struct fixture_holder holder;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	fixture_hold(&fixture, &holder);
	uint64_t dead = fixture_generation_at(fixture.path);
	fixture_reap(&holder, SIGKILL);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	assert_true(fixture_generation_at(fixture.path) == segment.generation);
	assert_true(fixture_generation_at(fixture_numbered(&fixture, 1)) == dead);
	shm_close(&segment, NULL);
}

static void dead_writer_is_removed_when_none_are_kept(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	fixture_leave_dead(&fixture);
	fixture.how.keep = 0;
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	assert_int_equal(access(fixture_numbered(&fixture, 1), F_OK), -1);
	shm_close(&segment, NULL);
}

static void dead_writers_move_up_to_the_number_kept(void **state)
{
	(void)state;
	uint64_t dead[4];
	fixture_init(&fixture, __func__);
	fixture.how.keep = 2;
	for (int i = 0; i < 4; i++)
		dead[i] = fixture_leave_dead(&fixture);
	assert_true(fixture_generation_at(fixture.path) == dead[3]);
	assert_true(fixture_generation_at(fixture_numbered(&fixture, 1)) == dead[2]);
	assert_true(fixture_generation_at(fixture_numbered(&fixture, 2)) == dead[1]);
	assert_int_equal(access(fixture_numbered(&fixture, 3), F_OK), -1);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_file_holds(const char *path, const char *text)
{
	char found[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, found, sizeof found - 1), strlen(text));
	close(fd);
	assert_string_equal(found, text);
}

static void foreign_file_is_never_touched(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	write_file(fixture.path, "somebody's notes");
	assert_int_equal(fixture_publish(&fixture, &segment), -EEXIST);
	assert_non_null(strstr(fixture.error.text, "not a segment"));
	assert_file_holds(fixture.path, "somebody's notes");
}

static void foreign_file_where_evidence_would_go_is_never_touched(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	uint64_t dead = fixture_leave_dead(&fixture);
	write_file(fixture_numbered(&fixture, 1), "notes");
	assert_int_equal(fixture_publish(&fixture, &segment), -EEXIST);
	assert_non_null(strstr(fixture.error.text, "~1"));
	assert_file_holds(fixture_numbered(&fixture, 1), "notes");
	assert_true(fixture_generation_at(fixture.path) == dead);
}

static void directory_under_the_name_is_told(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	assert_int_equal(mkdir(fixture.path, 0700), 0);
	assert_int_equal(fixture_publish(&fixture, &segment), -EISDIR);
	assert_non_null(strstr(fixture.error.text, "directory"));
}

static void symbolic_link_under_the_name_is_not_followed(void **state)
{
	(void)state;
	struct shm_segment segment, reader;
	char target[PATH_MAX];
	fixture_init(&fixture, __func__);
	snprintf(target, sizeof target, "%s", fixture_numbered(&fixture, 7));
	assert_int_equal(symlink(target, fixture.path), 0);
	assert_int_equal(fixture_publish(&fixture, &segment), -ELOOP);
	assert_non_null(strstr(fixture.error.text, "symbolic link"));
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(shm_attach(&reader, fixture.name, &fixture.error), -EBADMSG);
}

static void fifo_under_the_name_blocks_nobody(void **state)
{
	(void)state;
	struct shm_segment segment, reader;
	fixture_init(&fixture, __func__);
	assert_int_equal(mkfifo(fixture.path, 0600), 0);
	assert_int_equal(fixture_publish(&fixture, &segment), -EEXIST);
	assert_int_equal(shm_attach(&reader, fixture.name, &fixture.error), -EBADMSG);
}

static void mode_is_exact_under_any_umask(void **state)
{
	(void)state;
	const mode_t masks[] = { 000, 022, 077, 0777 };
	const mode_t modes[] = { 0640, 0600, 0666, 0644 };
	for (int i = 0; i < 16; i++) {
		struct shm_segment segment;
		struct stat found;
		fixture_init(&fixture, __func__);
		fixture.how.mode = modes[i % 4];
		mode_t before = umask(masks[i / 4]);
		int code = fixture_publish(&fixture, &segment);
		assert_int_equal(umask(before), masks[i / 4]);
		assert_int_equal(code, 0);
		assert_int_equal(lstat(fixture.path, &found), 0);
		assert_int_equal(found.st_mode & 07777, modes[i % 4]);
		shm_remove_name(&segment);
		shm_close(&segment, NULL);
	}
}

static void owner_may_always_lock_and_odd_modes_are_refused(void **state)
{
	(void)state;
	struct shm_segment segment;
	struct stat found;
	fixture_init(&fixture, __func__);
	fixture.how.mode = 0444;
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	assert_int_equal(lstat(fixture.path, &found), 0);
	assert_int_equal(found.st_mode & 07777, 0644);
	shm_close(&segment, NULL);
	fixture.how.mode = 04755;
	assert_int_equal(fixture_publish(&fixture, &segment), -EINVAL);
}

static gid_t other_group(void)
{
	gid_t groups[64];
	int count = getgroups(64, groups);
	for (int i = 0; i < count; i++)
		if (groups[i] != getegid())
			return groups[i];
	return geteuid() == 0 ? (gid_t)4 : getegid();
}

static void group_is_set(void **state)
{
	(void)state;
	struct shm_segment segment;
	struct stat found;
	fixture_init(&fixture, __func__);
	fixture.how.group = other_group();
	fixture.how.mode = 0660;
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	assert_int_equal(lstat(fixture.path, &found), 0);
	assert_int_equal(found.st_gid, fixture.how.group);
	assert_int_equal(found.st_mode & 07777, 0660);
	shm_close(&segment, NULL);
}

/* In a child that gave its privileges up: 0 as expected, else what came. */
static int publish_as_nobody(int expected)
{
	struct shm_segment segment;
	if (geteuid() == 0 && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
		return 99;
	int code = fixture_publish(&fixture, &segment);
	if (code != expected)
		return -code;
	return strstr(fixture.error.text, "belongs to user") ? 0 : 98;
}

static void segment_of_another_user_is_not_replaced(void **state)
{
	(void)state;
	int status;
	if (geteuid() != 0)
		return; /* there is no other user to be had */
	fixture_init(&fixture, __func__);
	fixture.how.mode = 0600;
	uint64_t dead = fixture_leave_dead(&fixture);
	pid_t pid = fork();
	if (pid == 0)
		_exit(publish_as_nobody(-EACCES));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(fixture_generation_at(fixture.path) == dead);
}

static void read_lock_in_the_way_is_told_apart_from_a_writer(void **state)
{
	(void)state;
	struct shm_segment segment;
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	fixture_init(&fixture, __func__);
	fixture_leave_dead(&fixture);
	int fd = open(fixture.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(shm_lock_state(fd), SHM_LOCK_NONE);
	assert_int_equal(fixture_publish(&fixture, &segment), -EBUSY);
	assert_non_null(strstr(fixture.error.text, "some process holds a lock"));
	close(fd);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	shm_close(&segment, NULL);
}

static void lock_tells_living_from_dead(void **state)
{
	(void)state;
	struct fixture_holder holder;
	fixture_init(&fixture, __func__);
	fixture_hold(&fixture, &holder);
	int fd = open(fixture.path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(shm_lock_state(fd), SHM_LOCK_WRITER);
	fixture_reap(&holder, SIGKILL);
	assert_int_equal(shm_lock_state(fd), SHM_LOCK_NONE);
	close(fd);
	assert_int_equal(shm_lock_state(fd), SHM_LOCK_UNKNOWN);
}

/* A reader that asks between lock and rename must not take the successor's lock
 * for a sign that the dead writer lives. */
static void dead_writer_stays_dead_while_it_is_retired(void **state)
{
	(void)state;
	struct shm_segment segment;
	fixture_init(&fixture, __func__);
	fixture_leave_dead(&fixture);
	int retiring = open(fixture.path, O_RDWR | O_CLOEXEC);
	int other = open(fixture.path, O_RDWR | O_CLOEXEC);
	assert_int_equal(shm_lock_retire(retiring), 0);
	assert_int_equal(shm_lock_state(other), SHM_LOCK_NONE);
	assert_int_equal(shm_lock_retire(other), -EAGAIN);
	close(retiring);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	close(other);
	other = open(fixture.path, O_RDWR | O_CLOEXEC);
	assert_int_equal(shm_lock_retire(other), -EBUSY);
	close(other);
	shm_close(&segment, NULL);
}

/* As one that lost its core in the midst of it. */
static void retire_slowly(int ready)
{
	int fd = open(fixture.path, O_RDWR | O_CLOEXEC);
	if (shm_lock_retire(fd) || write(ready, "r", 1) != 1)
		_exit(1);
	usleep(300000);
	_exit(0);
}

static void writer_waits_for_another_that_retires_the_dead_one(void **state)
{
	(void)state;
	struct shm_segment segment;
	int ready[2], status;
	char byte;
	fixture_init(&fixture, __func__);
	fixture_leave_dead(&fixture);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		retire_slowly(ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	shm_close(&segment, NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void name_is_removed_only_while_it_is_ours(void **state)
{
	(void)state;
	struct shm_segment old, new;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &old), 0);
	assert_int_equal(unlink(fixture.path), 0);
	assert_int_equal(fixture_publish(&fixture, &new), 0);
	shm_remove_name(&old);
	assert_int_equal(shm_is_named(&new), 1);
	shm_remove_name(&new);
	assert_int_equal(access(fixture.path, F_OK), -1);
	shm_close(&old, NULL);
	shm_close(&new, NULL);
}

static void closed_range_can_be_kept_and_used_again(void **state)
{
	(void)state;
	struct shm_segment segment;
	void *reserve = NULL;
	fixture_init(&fixture, __func__);
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	uint8_t *base = segment.base;
	shm_close(&segment, &reserve);
	assert_ptr_equal(reserve, base);
	assert_int_equal(base[0], 0);
	base[FIXTURE_MAX_BYTES - 1] = 7; /* a record that overlaps the close */
	fixture.how.reserve = reserve;
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	assert_ptr_equal(segment.base, base);
	shm_close(&segment, NULL);
}

static void path_that_is_not_in_memory_gives_a_warning(void **state)
{
	(void)state;
	struct shm_segment segment;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	/* The build folder: on a disk, or else there is nothing to warn of. */
	snprintf(path, sizeof path, "./astshm.%s", fixture.name);
	fixture.how.name = path;
	assert_int_equal(fixture_publish(&fixture, &segment), 0);
	assert_int_equal(fixture.error.code, 0);
	char cwd_type[64] = "";
	FILE *type = popen("stat -f -c %T .", "r");
	assert_non_null(type);
	assert_non_null(fgets(cwd_type, sizeof cwd_type, type));
	pclose(type);
	bool in_memory = strstr(cwd_type, "tmpfs") || strstr(cwd_type, "ramfs");
	assert_int_equal(strstr(fixture.error.text, "tmpfs") == NULL, in_memory);
	shm_remove_name(&segment);
	assert_int_equal(access(path, F_OK), -1);
	shm_close(&segment, NULL);
}

static void folder_that_does_not_exist_is_an_error(void **state)
{
	(void)state;
	struct shm_segment segment;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	snprintf(path, sizeof path, "/dev/shm/%s.none/astshm.x", fixture.name);
	fixture.how.name = path;
	assert_int_equal(fixture_publish(&fixture, &segment), -ENOENT);
	assert_true(fixture.error.text[0]);
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
		CASE(segment_is_invisible_until_published),
		CASE(reader_sees_what_the_writer_filled_in),
		CASE(explicit_path_is_used_as_it_is),
		CASE(living_writer_keeps_its_name_and_its_pid_is_told),
		CASE(writer_of_the_same_process_is_a_living_one_too),
		CASE(killed_writer_is_replaced_and_kept_as_evidence),
		CASE(dead_writer_is_removed_when_none_are_kept),
		CASE(dead_writers_move_up_to_the_number_kept),
		CASE(foreign_file_is_never_touched),
		CASE(foreign_file_where_evidence_would_go_is_never_touched),
		CASE(directory_under_the_name_is_told),
		CASE(symbolic_link_under_the_name_is_not_followed),
		CASE(fifo_under_the_name_blocks_nobody),
		CASE(mode_is_exact_under_any_umask),
		CASE(owner_may_always_lock_and_odd_modes_are_refused),
		CASE(group_is_set),
		CASE(segment_of_another_user_is_not_replaced),
		CASE(read_lock_in_the_way_is_told_apart_from_a_writer),
		CASE(lock_tells_living_from_dead),
		CASE(dead_writer_stays_dead_while_it_is_retired),
		CASE(writer_waits_for_another_that_retires_the_dead_one),
		CASE(name_is_removed_only_while_it_is_ours),
		CASE(closed_range_can_be_kept_and_used_again),
		CASE(path_that_is_not_in_memory_gives_a_warning),
		CASE(folder_that_does_not_exist_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
