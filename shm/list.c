/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "internal.h"

/* Names that could not be given to shm_name_to_path, or that would act on a
 * terminal when printed, are no segments of ours. */
static int is_candidate(const struct dirent *entry)
{
	return strncmp(entry->d_name, SHM_PREFIX, SHM_PREFIX_LEN) == 0 &&
	       shm_name_valid(entry->d_name + SHM_PREFIX_LEN);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_regular(const char *path)
{
	struct stat found;
	return lstat(path, &found) == 0 && S_ISREG(found.st_mode);
}

int shm_list(int (*each)(const char *name, const char *path, void *context), void *context)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int result = 0;
	int count = scandir(SHM_FOLDER, &entries, is_candidate, by_bytes);
	if (count < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "%s/%s", SHM_FOLDER, entries[i]->d_name);
		if (result == 0 && is_regular(path))
			result = each(entries[i]->d_name + SHM_PREFIX_LEN, path, context);
		free(entries[i]);
	}
	free(entries);
	return result;
}
