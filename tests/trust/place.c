/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "s"

void place_make(struct place *place, const char *test)
{
	snprintf(place->folder, sizeof place->folder, "/dev/shm/t%ld-%s", (long)getpid(), test);
	snprintf(place->path, sizeof place->path, "%s/" NAME, place->folder);
	place_remove(place); /* what a failed case left */
	if (mkdir(place->folder, 0700))
		fail_msg("cannot make %s", place->folder);
}

/* Calls `each` for the names in the folder until it is true. */
static bool walk(const struct place *place, bool (*each)(const char *name, void *context),
		 void *context)
{
	bool done = false;
	DIR *list = opendir(place->folder);
	if (!list)
		return false;
	for (struct dirent *entry; !done && (entry = readdir(list));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			done = each(entry->d_name, context);
	closedir(list);
	return done;
}

static bool unlink_one(const char *name, void *context)
{
	const struct place *place = context;
	char path[512];
	snprintf(path, sizeof path, "%s/%s", place->folder, name);
	if (unlink(path))
		(void)rmdir(path);
	return false;
}

void place_clear(const struct place *place)
{
	walk(place, unlink_one, (void *)(uintptr_t)place);
}

void place_remove(struct place *place)
{
	place_clear(place);
	(void)rmdir(place->folder);
}

const char *place_numbered(const struct place *place, unsigned number)
{
	static char path[160];
	snprintf(path, sizeof path, "%s~%u", place->path, number);
	return path;
}

struct hunt {
	unsigned keep;
	char found[256];
};

static bool is_litter(const char *name, void *context)
{
	struct hunt *hunt = context;
	char *end;
	if (strcmp(name, NAME) == 0)
		return false;
	if (strncmp(name, NAME "~", sizeof NAME) == 0) {
		unsigned long number = strtoul(name + sizeof NAME, &end, 10);
		if (*end == '\0' && number >= 1 && number <= hunt->keep)
			return false;
	}
	snprintf(hunt->found, sizeof hunt->found, "%s", name);
	return true;
}

const char *place_litter(const struct place *place, unsigned keep)
{
	static struct hunt hunt;
	hunt.keep = keep;
	return walk(place, is_litter, &hunt) ? hunt.found : NULL;
}
