/* SPDX-License-Identifier: MIT */
/*
 * Files that hold keys, tokens and passwords.
 */
#ifndef EXPORT_SECRET_H
#define EXPORT_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include <astshm/types.h>

/*
 * The whole text of a file, to be given back by secret_free(). `private`: it must
 * not be readable by everybody. -EACCES also for that; -EFBIG: more than 1 MiB.
 */
int secret_load(const char *path, bool private, char **text, struct astshm_error *error);

/* Overwrites what it frees; *text becomes NULL. */
void secret_free(char **text);

/* Compares in a time that tells nothing but the lengths. */
bool secret_equal(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
