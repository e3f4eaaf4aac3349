/* SPDX-License-Identifier: MIT */
/*
 * All series, one a line: which are shown, in which order, and which one is chosen.
 */
#ifndef TOP_TABLE_H
#define TOP_TABLE_H

#include "format.h"
#include "model.h"
#include "page.h"

enum column {
	COLUMN_NAME,
	COLUMN_VALUE,   /* total, current, or count of samples; of the lifetime */
	COLUMN_RATE,    /* per second, since the refresh before */
	COLUMN_AVERAGE, /* per second, in the window */
	COLUMN_MIN,     /* this and the following: in the window */
	COLUMN_P50,
	COLUMN_P95,
	COLUMN_P99,
	COLUMN_MAX,
	COLUMN_COUNT,
};

/* Numbers of a series by column; NaN: it has none. */
struct table_row {
	const struct model_row *series;
	double numbers[COLUMN_COUNT];
};

struct table {
	enum column sort;
	bool reversed;
	char filter[128];       /* "": all */
	int kind;               /* enum astshm_kind; 0: all */

	struct table_row *rows; /* those shown, in order; pointers into the model */
	size_t row_count;
	size_t total;           /* with those that the filter leaves out */

	size_t chosen;          /* place in rows */
	size_t top;             /* first row on the screen */
	enum astshm_kind chosen_kind;
	char *chosen_key;       /* what is chosen stays so when the order changes; NULL: the
				 * top of the list, whatever comes to stand there */
};

void table_init(struct table *table);
void table_fini(struct table *table);

/* After each refresh of the model, and each change of sort or filter. -ENOMEM. */
int table_update(struct table *table, const struct model *model);

const struct table_row *table_chosen(const struct table *table);
/* Chooses the row that lies `by` further down, stopping at both ends. */
void table_move(struct table *table, long by);
/* Chooses the top of the list and no certain series. */
void table_home(struct table *table);

/* "name", "value", ... as the head of the column says. */
const char *column_name(enum column column);

/* The head and as many rows as `height` has left. Moves `top` so that the chosen one shows. */
void table_put(struct table *table, struct page *page, enum units units, unsigned width,
	       unsigned height);

/* The trend of a series in `width` columns, the youngest at the right. */
void trend_put(const struct trend *trend, struct page *page, unsigned width);

#endif
