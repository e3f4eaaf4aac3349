/* SPDX-License-Identifier: MIT */
/*
 * Who may ask: a bearer token (RFC 6750) or users with passwords (RFC 7617).
 */
#ifndef EXPORT_ACCESS_H
#define EXPORT_ACCESS_H

#include <stdbool.h>

#include <astshm/types.h>

struct access_rules {
	char *tokens; /* one a line; NULL: none is taken */
	char *users;  /* NAME:PASSWORD, one a line; NULL: none is taken */
};

/*
 * Loads what is named (NULL: is not). Errors as secret_load; -EINVAL: a file has no
 * line, or a line of users lacks the name, the colon or the password.
 */
int access_load(struct access_rules *rules, const char *token_file, const char *user_file,
		struct astshm_error *error);
void access_free(struct access_rules *rules);

/* Is anything asked for at all? */
bool access_is_limited(const struct access_rules *rules);

/*
 * Does the header Authorization (NULL: there is none) open the door? A token does
 * also as the password of a user "token", since browsers send nothing else. Takes
 * the same time for every wrong one of a length.
 */
bool access_granted(const struct access_rules *rules, const char *authorization);

#endif
