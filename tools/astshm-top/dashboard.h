/* SPDX-License-Identifier: MIT */
/*
 * The figures that operators of an ast-server look at first, in the sections of its
 * metrics document: event processing, UDP listener, WebSocket, cache, errors. Of
 * other programs' segments what exists is shown.
 */
#ifndef TOP_DASHBOARD_H
#define TOP_DASHBOARD_H

#include "format.h"
#include "model.h"
#include "page.h"

enum { SECTION_EVENTS, SECTION_UDP, SECTION_WEBSOCKET, SECTION_CACHE, SECTION_ERRORS,
       SECTION_COUNT };

#define DASHBOARD_LINES_MAX 40 /* errors.* beyond that are in the total alone */

struct dashboard_line {
	int section;
	char label[64]; /* of a stranger, for errors */
	char cells[VIEW_COUNT][CELL_BYTES];
	enum style style; /* of the cells */
};

struct dashboard {
	struct dashboard_line lines[DASHBOARD_LINES_MAX];
	size_t line_count;
	bool known[SECTION_COUNT]; /* some metric of the section exists */
	char heads[VIEW_COUNT][CELL_BYTES]; /* how long the views are */
};

void dashboard_fill(struct dashboard *dashboard, const struct model *model, enum units units);

bool dashboard_is_empty(const struct dashboard *dashboard);

/* One below the other, as the document has it; sections without metrics in a word. */
void dashboard_put_tall(const struct dashboard *dashboard, struct page *page, unsigned width);
/* In two columns, errors in one line: DASHBOARD_WIDE_ROWS lines. */
#define DASHBOARD_WIDE_COLUMNS 80
#define DASHBOARD_WIDE_ROWS 8
void dashboard_put_wide(const struct dashboard *dashboard, struct page *page, unsigned width);

/* The latest figure of each in at most `rows` lines, for small windows. */
void dashboard_put_brief(const struct dashboard *dashboard, struct page *page, unsigned width,
			 unsigned rows);

#endif
