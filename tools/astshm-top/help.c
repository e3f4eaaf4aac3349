/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "help.h"

#define KEY_COLUMNS 16

static const struct {
	const char *keys;
	const char *text;
} lines[] = {
	{ "q", "quit" },
	{ "?, h", "this help" },
	{ "Up, Down, j, k", "the next series (or line)" },
	{ "PgUp, PgDn", "a page" },
	{ "Home, End, g, G", "the first, whichever it becomes; the last" },
	{ "Enter", "detail of the series: numbers, histogram, tags, threads" },
	{ "Esc", "back; without a detail: all series again" },
	{ "/", "filter: a piece of the name or tags; with * a pattern for all of it" },
	{ "t", "all kinds, counters, gauges, timings, distributions" },
	{ "s, S, Right, Left", "sort by the next, the previous column" },
	{ "r", "the other way round" },
	{ "n", "sort by name" },
	{ "Tab, d", "dashboard and table, table alone, dashboard alone" },
	{ "p, Space", "pause: nothing changes until it is pressed again" },
	{ "+, -", "refresh less often, more often" },
	{ "w, W", "a longer, a shorter window" },
	{ "u", "units: fitting ones, milliseconds, ns and bytes to the last digit" },
	{ "l", "in a detail: histogram of the lifetime, of the window" },
};

static const char *const columns_text =
	"VALUE is a counter's total, a gauge's current value, or how many samples a timing "
	"has; RATE/s counts since the refresh before; AVG/s, MIN, P50, P95, P99 and MAX are "
	"of the window; TREND shows rates, values or p95, the latest at the right.";

void help_put(struct page *page, unsigned width)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		page_begin(page);
		page_fit(page, STYLE_BOLD, lines[i].keys, KEY_COLUMNS + 2);
		page_put(page, STYLE_PLAIN, lines[i].text);
	}
	page_begin(page);
	page_wrap(page, STYLE_PLAIN, columns_text, 0, width);
}
