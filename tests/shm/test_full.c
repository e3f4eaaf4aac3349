/* SPDX-License-Identifier: MIT */
/*
 * A tmpfs of 256 KiB, mounted in a mount namespace of our own.
 */
#include "fixture.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static struct fixture fixture;
static char folder[] = "/tmp/astshm-full-XXXXXX";

static void full_file_system_is_an_error_and_what_is_there_stays(void **state)
{
	(void)state;
	struct shm_segment writer, reader;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	snprintf(path, sizeof path, "%s/astshm.full", folder);
	fixture.how.name = path;
	assert_int_equal(fixture_publish(&fixture, &writer), 0);
	assert_int_equal(fixture.error.text[0], 0);
	assert_int_equal(shm_attach(&reader, path, &fixture.error), 0);
	assert_int_equal(shm_grow(&writer, (uint64_t)1 << 20, &fixture.error), -ENOSPC);
	assert_non_null(strstr(fixture.error.text, "no room"));
	assert_true(shm_committed(&reader) == writer.file_bytes);
	/* The comfortable step does not fit, the last page does. */
	int code = 0;
	while (code == 0)
		code = shm_grow(&writer, writer.file_bytes + 1, &fixture.error);
	assert_int_equal(code, -ENOSPC);
	assert_true(writer.file_bytes > (uint64_t)200 << 10);
	memset(writer.base + FIXTURE_FIRST_BYTES, 1, writer.file_bytes - FIXTURE_FIRST_BYTES);
	assert_true(shm_committed(&reader) == writer.file_bytes);
	assert_int_equal(reader.base[writer.file_bytes - 1], 1);
	shm_close(&reader, NULL);
	shm_close(&writer, NULL);
	unlink(path);
}

static void segment_that_does_not_fit_leaves_nothing(void **state)
{
	(void)state;
	struct shm_segment segment;
	char path[PATH_MAX];
	fixture_init(&fixture, __func__);
	snprintf(path, sizeof path, "%s/astshm.big", folder);
	fixture.how.name = path;
	assert_int_equal(shm_create(&segment, &fixture.how, (uint64_t)1 << 20, &fixture.error),
			 -ENOSPC);
	assert_int_equal(fixture_publish(&fixture, &segment), 0); /* the room is back */
	shm_close(&segment, NULL);
	unlink(path);
}

static int mount_small(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL))
		return -1;
	if (!mkdtemp(folder))
		return -1;
	if (mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=256k") == 0)
		return 0;
	rmdir(folder);
	return -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_file_system_is_an_error_and_what_is_there_stays),
		cmocka_unit_test(segment_that_does_not_fit_leaves_nothing),
	};
	if (mount_small()) {
		fprintf(stderr, "skipped: cannot mount a tmpfs here (%s)\n", strerror(errno));
		return 77;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	umount2(folder, MNT_DETACH);
	rmdir(folder);
	return failed;
}
