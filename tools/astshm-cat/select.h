/* SPDX-License-Identifier: MIT */
#ifndef CAT_SELECT_H
#define CAT_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include <astshm/reader.h>

/* One -m or -t. */
struct pattern {
	bool exclude;
	char *tag_key;    /* NULL: the pattern is for the name */
	const char *glob; /* of the name, or of the tag's value */
};

/* All of them in the order of the command line. */
struct selection {
	struct pattern *patterns;
	size_t count;
	bool has_positive;
};

/* Both append; a leading '!' excludes. -EINVAL: an empty or malformed one. */
int selection_add_name(struct selection *selection, const char *text);
int selection_add_tag(struct selection *selection, const char *text);
void selection_free(struct selection *selection);

/* For astshm_snapshot_filter; context is the selection. First match decides. */
bool selection_keeps(const struct astshm_series *series, void *context);

#endif
