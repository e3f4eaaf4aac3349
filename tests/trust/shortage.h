/* SPDX-License-Identifier: MIT */
/*
 * An allocation that fails. Programs that use it are linked with --wrap of what
 * allocates (meson.build), and with the libraries' objects: a call inside of a shared
 * library is not seen.
 */
#ifndef TRUST_SHORTAGE_H
#define TRUST_SHORTAGE_H

#include <stdbool.h>

/* The n-th from here on fails, that one alone; 1 is the next. One thread at a time. */
void shortage_begin(unsigned n);
/* It is over: has one failed? */
bool shortage_end(void);

#endif
