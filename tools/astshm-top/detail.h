/* SPDX-License-Identifier: MIT */
/* One series in full: what it is, its numbers, its histogram, its threads. */
#ifndef TOP_DETAIL_H
#define TOP_DETAIL_H

#include "format.h"
#include "model.h"
#include "page.h"

/* `drawn`: the view that the histogram is of. Rows of it: at most `bars`. */
void detail_put(const struct model *model, const struct model_row *row, enum view drawn,
		enum units units, struct page *page, unsigned width, unsigned bars);

#endif
