/* SPDX-License-Identifier: MIT */
#ifndef CAT_ENCODE_H
#define CAT_ENCODE_H

#include <astshm/reader.h>

#include "buffer.h"
#include "options.h"

/* How this run prints, settled once. */
struct style {
	enum format format; /* never FORMAT_DEFAULT */
	bool terminal;      /* stdout is one, and the output goes there */
	bool color;
	bool redraw;        /* clear the screen before each document */
};

struct style style_choose(const struct options *options);

/*
 * Appends the document, with the newline or the clearing of the screen that
 * separates it from the one before (`first`: there was none), and cut to the
 * window where it is redrawn. -errno as the encoders give.
 */
int encode_document(const struct style *style, const struct options *options, bool first,
		    const struct astshm_snapshot *snapshot, struct buffer *buffer);

#endif
