/* SPDX-License-Identifier: MIT */
/*
 * The files of the page at /, which are part of the program: page/embed.py makes
 * the table of them while building.
 */
#ifndef EXPORT_PAGE_H
#define EXPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct page_file {
	const char *name;
	const char *type; /* Content-Type */
	const char *hash; /* of the bytes, for ETag */
	const char *bytes;
	size_t count;
};

extern const struct page_file page_files[];
extern const size_t page_file_count;

/* NULL: there is no such file. */
const struct page_file *page_find(const char *name);

/*
 * Whether a request's If-None-Match, or NULL, names what would be sent. Packed
 * bytes have an ETag of their own, but whoever has either has the file.
 */
bool page_is_known(const struct page_file *file, const char *if_none_match);

#endif
