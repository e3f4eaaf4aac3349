/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "dashboard.h"
#include "once.h"
#include "status.h"

#define RULE_COLUMNS 60

static void put_rule(struct page *page, unsigned width)
{
	page_begin(page);
	for (unsigned i = 0; i < width && i < RULE_COLUMNS; i++)
		page_put(page, STYLE_PLAIN, "=");
}

static void put_head(const struct model *model, struct page *page, unsigned width)
{
	const struct astshm_segment_info *segment = model_segment(model);

	put_rule(page, width);
	page_begin(page);
	page_put(page, STYLE_BOLD, " Health Dashboard: ");
	page_put(page, STYLE_BOLD, segment ? segment->name : model->name);
	put_rule(page, width);
}

static void put_segment(const struct model *model, const struct status *status,
			struct page *page)
{
	const struct astshm_segment_info *segment = model_segment(model);
	double uptime_s = (double)astshm_snapshot_uptime_ns(model->life) / 1e9;
	char bytes[CELL_BYTES];

	page_begin(page);
	page_begin(page);
	page_print(page, STYLE_PLAIN, "Uptime: %.0fs (%.1fmin)", uptime_s, uptime_s / 60);
	page_begin(page);
	page_print(page, STYLE_PLAIN, "Writer: pid %" PRIu32 ", %s", segment->pid,
		   status->state);
	format_bytes(bytes, (double)segment->bytes);
	page_begin(page);
	page_print(page, STYLE_PLAIN,
		   "Segment: %zu series, %" PRIu64 " threads, %s, %" PRIu64 " dropped",
		   model->row_count, segment->threads, bytes, segment->dropped);
	if (status->notice[0]) {
		page_begin(page);
		page_put(page, status->notice_style, status->notice);
	}
	page_begin(page);
}

void once_put(const struct model *model, enum units units, struct page *page, unsigned width)
{
	struct dashboard dashboard;
	struct status status;

	status_fill(&status, model, realtime_ns());
	dashboard_fill(&dashboard, model, units);
	put_head(model, page, width);
	if (model->life && model_segment(model))
		put_segment(model, &status, page);
	dashboard_put_tall(&dashboard, page, width);
	put_rule(page, width);
}

static size_t without_spaces(const char *text, size_t count)
{
	while (count > 0 && text[count - 1] == ' ')
		count--;
	return count;
}

void once_write(const struct page *page, FILE *stream)
{
	for (size_t i = 0; i < page->line_count; i++) {
		const struct page_line *line = &page->lines[i];

		if (line->piece_count > 0) {
			const struct piece *first = &page->pieces[line->first_piece];
			const struct piece *last = first + line->piece_count - 1;
			const char *text = page->bytes + first->start;

			/* The end of the program looks at the stream. */
			(void)fwrite(text, 1,
				     without_spaces(text, last->start + last->count -
								  first->start),
				     stream);
		}
		putc('\n', stream);
	}
}
