/* SPDX-License-Identifier: MIT */
/* The dashboard as plain text. */
#ifndef TOP_ONCE_H
#define TOP_ONCE_H

#include <stdio.h>

#include "format.h"
#include "model.h"
#include "page.h"

void once_put(const struct model *model, enum units units, struct page *page, unsigned width);

/* The lines without their styles and without spaces at their ends. */
void once_write(const struct page *page, FILE *stream);

#endif
