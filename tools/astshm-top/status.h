/* SPDX-License-Identifier: MIT */
/* What there is to say about the writer, and about the looking itself. */
#ifndef TOP_STATUS_H
#define TOP_STATUS_H

#include "model.h"
#include "page.h"

struct status {
	char state[96];     /* "live", "dead", "live, heartbeat 15s ago" */
	enum style style;
	char notice[400];   /* a sentence where all is not well, or changed; else "" */
	enum style notice_style;
};

/* `now_ns`: CLOCK_REALTIME. */
void status_fill(struct status *status, const struct model *model, uint64_t now_ns);

uint64_t realtime_ns(void);

#endif
