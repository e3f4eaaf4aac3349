/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "select.h"

static int append(struct selection *selection, struct pattern pattern)
{
	struct pattern *patterns = reallocarray(selection->patterns, selection->count + 1,
						sizeof(*patterns));

	if (!patterns)
		return -ENOMEM;
	patterns[selection->count++] = pattern;
	selection->patterns = patterns;
	selection->has_positive |= !pattern.exclude;
	return 0;
}

int selection_add_name(struct selection *selection, const char *text)
{
	struct pattern pattern = { .exclude = text[0] == '!' };

	pattern.glob = text + pattern.exclude;
	if (pattern.glob[0] == '\0')
		return -EINVAL;
	return append(selection, pattern);
}

int selection_add_tag(struct selection *selection, const char *text)
{
	struct pattern pattern = { .exclude = text[0] == '!' };
	const char *key = text + pattern.exclude;
	const char *equals = strchr(key, '=');
	int result;

	if (!equals || equals == key)
		return -EINVAL;
	pattern.tag_key = strndup(key, (size_t)(equals - key));
	if (!pattern.tag_key)
		return -ENOMEM;
	pattern.glob = equals + 1;
	result = append(selection, pattern);
	if (result < 0)
		free(pattern.tag_key);
	return result;
}

void selection_free(struct selection *selection)
{
	for (size_t i = 0; i < selection->count; i++)
		free(selection->patterns[i].tag_key);
	free(selection->patterns);
	*selection = (struct selection){ 0 };
}

/* No flags: '*' passes over '/' and a leading '.', as tag values hold paths. */
static bool glob_matches(const char *glob, const char *text)
{
	return fnmatch(glob, text, 0) == 0;
}

static bool pattern_matches(const struct pattern *pattern, const struct astshm_series *series)
{
	if (!pattern->tag_key)
		return glob_matches(pattern->glob, series->family->name);
	for (uint32_t i = 0; i < series->tag_count; i++) {
		if (strcmp(series->tags[i].key, pattern->tag_key) == 0)
			return glob_matches(pattern->glob, series->tags[i].value);
	}
	return false;
}

bool selection_keeps(const struct astshm_series *series, void *context)
{
	const struct selection *selection = context;

	for (size_t i = 0; i < selection->count; i++) {
		if (pattern_matches(&selection->patterns[i], series))
			return !selection->patterns[i].exclude;
	}
	return !selection->has_positive;
}
