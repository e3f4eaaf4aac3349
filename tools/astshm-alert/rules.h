/* SPDX-License-Identifier: MIT */
/*
 * The rules of a run: from the command line, from files, and the one about the
 * server itself.
 */
#ifndef ALERT_RULES_H
#define ALERT_RULES_H

#include "rule.h"

struct rules {
	struct rule *items[RULES_MAX];
	size_t count;
	int64_t windows[RULES_WINDOWS_MAX]; /* each once */
	size_t window_count;
};

/*
 * One rule, of which `source` and `line` (0: none) say in messages where it
 * stands. What is wrong is told on stderr, with a caret below the column, and
 * gives -EINVAL; so does text without a rule if it must have one. -ENOMEM.
 */
int rules_add(struct rules *rules, const char *text, size_t length, const char *source,
	      unsigned line, bool required);

/*
 * The file's rules, a line each. "-" is stdin. A name without '/' that is no file
 * here is looked for among the installed ones. Told on stderr; negative errno.
 */
int rules_add_file(struct rules *rules, const char *path);

/* The installed rules for a segment of that name; -ENOENT, not told: none. */
int rules_add_default(struct rules *rules, const char *segment);

/* "server: down critical", unless a rule says otherwise about it. */
int rules_add_server(struct rules *rules);

/* Where a rule's window is among `windows`. It has one. */
size_t rules_window(const struct rules *rules, const struct rule *rule);

void rules_free(struct rules *rules);

#endif
