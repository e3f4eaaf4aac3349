/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <string.h>

const struct page_file *page_find(const char *name)
{
	for (size_t i = 0; i < page_file_count; i++) {
		if (strcmp(page_files[i].name, name) == 0)
			return &page_files[i];
	}
	return NULL;
}

bool page_is_known(const struct page_file *file, const char *if_none_match)
{
	/* Hashes do not occur in each other: no need to take the list apart. */
	return if_none_match && strstr(if_none_match, file->hash);
}
