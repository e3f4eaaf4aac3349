/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* Terminals act on C0, DEL and C1 (U+0080 to U+009F, 0xc2 0x80 to 0x9f). */
static bool has_control_character(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;
	for (; *byte; byte++)
		if (*byte < 0x20 || *byte == 0x7f || (*byte == 0xc2 && byte[1] < 0xa0))
			return true;
	return false;
}

bool shm_name_valid(const char *name)
{
	size_t length = strnlen(name, SHM_NAME_MAX + 1);
	return length > 0 && length <= SHM_NAME_MAX && name[0] != '.' &&
	       !strchr(name, '/') && shm_utf8_valid(name, length) &&
	       !has_control_character(name);
}

/* NAME~3 is what a dead segment's file is renamed to. */
static bool is_numbered(const char *name)
{
	const char *mark = strrchr(name, '~');
	if (!mark || !mark[1])
		return false;
	return strspn(mark + 1, "0123456789") == strlen(mark + 1);
}

static int copy_path(const char *from, char *path, struct astshm_error *error)
{
	size_t length = strnlen(from, PATH_MAX);
	if (length == PATH_MAX)
		return shm_fail(error, -ENAMETOOLONG, "a path of %d bytes or more", PATH_MAX);
	memcpy(path, from, length + 1);
	return 0;
}

int shm_name_to_path(const char *name, char *path, struct astshm_error *error)
{
	if (!name || !*name)
		return shm_fail(error, -EINVAL, "an empty segment name");
	if (strchr(name, '/'))
		return copy_path(name, path, error);
	if (!shm_name_valid(name))
		return shm_fail(error, -EINVAL,
				"not a segment name: '%.60s' (1 to %u bytes of UTF-8 without "
				"control characters or a leading dot)", name, SHM_NAME_MAX);
	snprintf(path, PATH_MAX, "%s/%s%s", SHM_FOLDER, SHM_PREFIX, name);
	return 0;
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

int shm_name_of_path(const char *path, char name[ASTSHM_SEGMENT_NAME_BYTES],
		     struct astshm_error *error)
{
	const char *last = last_component(path);
	if (strncmp(last, SHM_PREFIX, SHM_PREFIX_LEN) == 0)
		last += SHM_PREFIX_LEN;
	if (!shm_name_valid(last))
		return shm_fail(error, -EINVAL, "'%.150s' does not end in a segment name", path);
	if (is_numbered(last))
		return shm_fail(error, -EINVAL,
				"'%.100s': a name that ends in ~NUMBER is kept for dead segments",
				last);
	/* Room for "~999" and for a temporary name beside it. */
	if (strlen(path) + 32 > PATH_MAX)
		return shm_fail(error, -ENAMETOOLONG, "the path is too long");
	memset(name, 0, ASTSHM_SEGMENT_NAME_BYTES);
	memcpy(name, last, strlen(last));
	return 0;
}

void shm_folder_of_path(const char *path, char *folder)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	if (!slash)
		snprintf(folder, PATH_MAX, ".");
	else
		snprintf(folder, PATH_MAX, "%.*s", length ? (int)length : 1, path);
}
