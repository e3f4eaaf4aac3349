/* SPDX-License-Identifier: MIT */
#ifndef TOP_HELP_H
#define TOP_HELP_H

#include "page.h"

/* The keys, a line each. */
void help_put(struct page *page, unsigned width);

#endif
