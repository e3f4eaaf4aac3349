/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dashboard.h"

#define SLOW_NS 100e6 /* as the metrics document alerts: p95 above 100 ms */

/* --- looking metrics up -------------------------------------------------------- */

static const struct astshm_series *find(const struct model *model, enum view view,
					enum astshm_kind kind, const char *name)
{
	const struct astshm_snapshot *snapshot = model_view(model, view);

	return snapshot ? astshm_snapshot_find(snapshot, kind, name) : NULL;
}

static bool is_of(const struct astshm_series *series, enum astshm_kind kind, const char *name)
{
	return series->kind == kind && strcmp(series->family->name, name) == 0;
}

/* A counter in a view: what it rose by, or its total. */
struct amount {
	double value; /* NaN: no such metric */
	double rate;  /* NaN without an interval */
};

static void add_series(struct amount *amount, const struct astshm_series *series, enum view view)
{
	const struct astshm_counter_value *counter = &series->counter;

	if (isnan(amount->value))
		*amount = (struct amount){ 0, 0 };
	amount->value += (double)(view == VIEW_LIFE ? counter->value : counter->increase);
	amount->rate += view == VIEW_LIFE ? (double)NAN : counter->rate;
}

/* The series without tags holds the total where there is one. */
static struct amount amount_of(const struct model *model, enum view view, const char *name)
{
	const struct astshm_snapshot *snapshot = model_view(model, view);
	const struct astshm_series *total = find(model, view, ASTSHM_KIND_COUNTER, name), *series;
	struct amount amount = { (double)NAN, (double)NAN };

	if (total) {
		add_series(&amount, total, view);
		return amount;
	}
	for (size_t i = 0; snapshot && (series = astshm_snapshot_at(snapshot, i)) != NULL; i++) {
		if (is_of(series, ASTSHM_KIND_COUNTER, name))
			add_series(&amount, series, view);
	}
	return amount;
}

static bool is_latency(const struct astshm_series *series, void *context)
{
	return is_of(series, ASTSHM_KIND_TIMING, context);
}

static void take_quantiles(const struct astshm_snapshot *snapshot, const char *name,
			   double values[3])
{
	static const double q[3] = { 0.5, 0.95, 0.99 };
	const struct astshm_series *series =
		astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, name);

	if (series)
		astshm_histogram_quantiles(&series->histogram, ASTSHM_KIND_TIMING, q, values, 3);
}

/* Of the series without tags, else of all of them added up; NaN without any. */
static void quantiles_of(const struct model *model, enum view view, char *name, double values[3])
{
	const struct astshm_snapshot *snapshot = model_view(model, view);
	struct astshm_snapshot *tagged = NULL, *total = NULL;

	for (int i = 0; i < 3; i++)
		values[i] = (double)NAN;
	if (!snapshot)
		return;
	if (astshm_snapshot_find(snapshot, ASTSHM_KIND_TIMING, name)) {
		take_quantiles(snapshot, name, values);
		return;
	}
	if (astshm_snapshot_filter(snapshot, is_latency, name, &tagged, NULL) == 0 &&
	    astshm_snapshot_group(tagged, NULL, 0, &total, NULL) == 0)
		take_quantiles(total, name, values);
	astshm_snapshot_free(&total);
	astshm_snapshot_free(&tagged);
}

static bool has_family(const struct model *model, enum astshm_kind kind, const char *name)
{
	const struct astshm_snapshot *snapshot = model_view(model, VIEW_LIFE);
	const struct astshm_series *series;

	for (size_t i = 0; (series = astshm_snapshot_at(snapshot, i)) != NULL; i++) {
		if (is_of(series, kind, name))
			return true;
	}
	return false;
}

/* --- lines -------------------------------------------------------------------- */

static struct dashboard_line *add_line(struct dashboard *dashboard, int section,
				       const char *label, bool known)
{
	static struct dashboard_line nowhere; /* where there is no room */
	struct dashboard_line *line = dashboard->line_count < DASHBOARD_LINES_MAX
					      ? &dashboard->lines[dashboard->line_count++]
					      : &nowhere;

	*line = (struct dashboard_line){ .section = section, .style = STYLE_PLAIN };
	snprintf(line->label, sizeof(line->label), "%s", label);
	for (int v = 0; v < VIEW_COUNT; v++)
		strcpy(line->cells[v], "-");
	dashboard->known[section] |= known;
	return line;
}

static void put_per_second(char cell[CELL_BYTES], enum units units, double rate)
{
	format_rate(cell, units, rate);
	if (!isnan(rate))
		strcat(cell, "/s");
}

/* Rates, and the total. */
static void add_flow(struct dashboard *dashboard, const struct model *model, enum units units,
		     int section, const char *label, const char *name)
{
	struct amount amounts[VIEW_COUNT];
	struct dashboard_line *line;

	for (int v = 0; v < VIEW_COUNT; v++)
		amounts[v] = amount_of(model, (enum view)v, name);
	line = add_line(dashboard, section, label, !isnan(amounts[VIEW_LIFE].value));
	put_per_second(line->cells[VIEW_NOW], units, amounts[VIEW_NOW].rate);
	put_per_second(line->cells[VIEW_WINDOW], units, amounts[VIEW_WINDOW].rate);
	format_count(line->cells[VIEW_LIFE], units, amounts[VIEW_LIFE].value);
}

static void put_increase(char cell[CELL_BYTES], enum units units, double increase)
{
	char number[CELL_BYTES];

	format_count(number, units, increase);
	snprintf(cell, CELL_BYTES, "%s%.40s", increase >= 0 ? "+" : "", number);
}

/* What is rare is told in events, not in events per second. */
static void fill_rare(struct dashboard_line *line, enum units units,
		      const struct amount amounts[VIEW_COUNT])
{
	put_increase(line->cells[VIEW_NOW], units, amounts[VIEW_NOW].value);
	put_increase(line->cells[VIEW_WINDOW], units, amounts[VIEW_WINDOW].value);
	format_count(line->cells[VIEW_LIFE], units, amounts[VIEW_LIFE].value);
	if (amounts[VIEW_NOW].value > 0)
		line->style = STYLE_BAD;
	else if (amounts[VIEW_WINDOW].value > 0)
		line->style = STYLE_WARN;
}

static void add_latency(struct dashboard *dashboard, const struct model *model, enum units units)
{
	static const char *const labels[] = { "Latency p50", "Latency p95", "Latency p99" };
	char name[] = "event.processing.duration";
	double values[VIEW_COUNT][3];
	bool known = has_family(model, ASTSHM_KIND_TIMING, name);

	for (int v = 0; v < VIEW_COUNT; v++)
		quantiles_of(model, (enum view)v, name, values[v]);
	for (int i = 0; i < 3; i++) {
		struct dashboard_line *line =
			add_line(dashboard, SECTION_EVENTS, labels[i], known);

		for (int v = 0; v < VIEW_COUNT; v++)
			format_time(line->cells[v], units, values[v][i]);
		if (i == 1 && values[VIEW_WINDOW][i] > SLOW_NS)
			line->style = STYLE_WARN;
	}
}

static double zero_if_none(double value)
{
	return isnan(value) ? 0 : value;
}

/* A packet that was only late was not lost. */
static double loss_of(const struct model *model, enum view view)
{
	double received = amount_of(model, view, "udp.packet.received").value;
	double dropped = zero_if_none(amount_of(model, view, "udp.packet.dropped").value);
	double late = zero_if_none(amount_of(model, view, "udp.packet.late").value);
	double lost = dropped - late > 0 ? dropped - late : 0;

	/* NaN without the metric; nothing was lost of nothing. */
	return received + lost == 0 ? 0 : lost / (received + lost);
}

static void add_udp(struct dashboard *dashboard, const struct model *model, enum units units)
{
	struct amount dropped[VIEW_COUNT];
	struct dashboard_line *line;

	add_flow(dashboard, model, units, SECTION_UDP, "Received", "udp.packet.received");
	for (int v = 0; v < VIEW_COUNT; v++)
		dropped[v] = amount_of(model, (enum view)v, "udp.packet.dropped");
	line = add_line(dashboard, SECTION_UDP, "Dropped", !isnan(dropped[VIEW_LIFE].value));
	fill_rare(line, units, dropped);
	line = add_line(dashboard, SECTION_UDP, "Loss rate", false);
	for (int v = 0; v < VIEW_COUNT; v++)
		format_percent(line->cells[v], loss_of(model, (enum view)v));
}

static void put_extreme(char cell[CELL_BYTES], const char *word, double value, bool percent)
{
	char number[CELL_BYTES];

	if (percent)
		format_percent(number, value);
	else
		format_count(number, UNITS_AUTO, value);
	snprintf(cell, CELL_BYTES, "%s%.40s", word, number);
}

/* Now, and how far it got: the most, or (of a share) the least. */
static void add_gauge(struct dashboard *dashboard, const struct model *model, int section,
		      const char *label, const char *name, bool percent)
{
	const struct astshm_series *life = find(model, VIEW_LIFE, ASTSHM_KIND_GAUGE, name);
	struct dashboard_line *line = add_line(dashboard, section, label, life != NULL);
	const char *word = percent ? "lo " : "hi ";

	if (!life)
		return;
	put_extreme(line->cells[VIEW_NOW], "", life->gauge.current, percent);
	if (life->gauge.count > 0)
		put_extreme(line->cells[VIEW_LIFE], word,
			    percent ? life->gauge.min : life->gauge.max, percent);
	/* Only a history knows what a gauge was in between. */
	if (model->life && astshm_snapshot_window(model->life)) {
		const struct astshm_series *window =
			find(model, VIEW_WINDOW, ASTSHM_KIND_GAUGE, name);

		if (window && window->gauge.min <= window->gauge.max)
			put_extreme(line->cells[VIEW_WINDOW], word,
				    percent ? window->gauge.min : window->gauge.max, percent);
	}
}

/* A gauge of that name comes before a counter, which is a state then. */
static void add_clients(struct dashboard *dashboard, const struct model *model, enum units units)
{
	static const char name[] = "websocket.clients";
	const struct astshm_series *counter =
		find(model, VIEW_LIFE, ASTSHM_KIND_COUNTER, name);

	add_gauge(dashboard, model, SECTION_WEBSOCKET, "Clients", name, false);
	if (counter && !find(model, VIEW_LIFE, ASTSHM_KIND_GAUGE, name)) {
		format_count(dashboard->lines[dashboard->line_count - 1].cells[VIEW_NOW], units,
			     (double)counter->counter.value);
		dashboard->known[SECTION_WEBSOCKET] = true;
	}
}

/* --- errors --------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Those by type repeat the total. */
static bool is_error(const struct astshm_family *family)
{
	return family->kind == ASTSHM_KIND_COUNTER &&
	       strncmp(family->name, "errors.", 7) == 0 && !ends_with(family->name, ".by_type");
}

/* Over all tags, unlike amount_of(): as the summary document adds errors up. */
static void add_up(const struct model *model, const char *name,
		   struct amount amounts[VIEW_COUNT])
{
	for (int v = 0; v < VIEW_COUNT; v++) {
		const struct astshm_snapshot *snapshot = model_view(model, (enum view)v);
		const struct astshm_series *series;

		for (size_t i = 0;
		     snapshot && (series = astshm_snapshot_at(snapshot, i)) != NULL; i++) {
			if (is_of(series, ASTSHM_KIND_COUNTER, name))
				add_series(&amounts[v], series, (enum view)v);
		}
	}
}

static void add_errors(struct dashboard *dashboard, const struct model *model, enum units units)
{
	const struct amount none = { (double)NAN, (double)NAN };
	struct amount totals[VIEW_COUNT] = { none, none, none };
	const struct astshm_snapshot *life = model_view(model, VIEW_LIFE);
	size_t total_at = dashboard->line_count;

	add_line(dashboard, SECTION_ERRORS, "Total", false);
	for (size_t i = 0; i < astshm_snapshot_family_count(life); i++) {
		const struct astshm_family *family = astshm_snapshot_family_at(life, i);
		struct amount amounts[VIEW_COUNT] = { none, none, none };

		if (!is_error(family))
			continue;
		add_up(model, family->name, amounts);
		add_up(model, family->name, totals);
		fill_rare(add_line(dashboard, SECTION_ERRORS, family->name,
				   !isnan(amounts[VIEW_LIFE].value)),
			  units, amounts);
	}
	fill_rare(&dashboard->lines[total_at], units, totals);
}

/* --- the whole ------------------------------------------------------------------- */

static void fill_heads(struct dashboard *dashboard, const struct model *model)
{
	for (int v = 0; v < VIEW_LIFE; v++) {
		const struct astshm_snapshot *snapshot = model_view(model, (enum view)v);

		if (snapshot)
			format_span(dashboard->heads[v], astshm_snapshot_interval_ns(snapshot));
		else
			strcpy(dashboard->heads[v], v == VIEW_NOW ? "now" : "window");
	}
	strcpy(dashboard->heads[VIEW_LIFE], "lifetime");
}

void dashboard_fill(struct dashboard *dashboard, const struct model *model, enum units units)
{
	*dashboard = (struct dashboard){ .line_count = 0 };
	fill_heads(dashboard, model);
	if (!model->life)
		return;
	add_flow(dashboard, model, units, SECTION_EVENTS, "Processed", "events.processed");
	add_latency(dashboard, model, units);
	add_udp(dashboard, model, units);
	add_clients(dashboard, model, units);
	add_flow(dashboard, model, units, SECTION_WEBSOCKET, "Broadcasts",
		 "websocket.broadcast.success");
	add_gauge(dashboard, model, SECTION_CACHE, "Hit rate", "cache.hit_rate", true);
	add_errors(dashboard, model, units);
}

bool dashboard_is_empty(const struct dashboard *dashboard)
{
	for (int i = 0; i < SECTION_COUNT; i++) {
		if (dashboard->known[i])
			return false;
	}
	return true;
}

static const char *section_title(int section)
{
	static const char *const titles[] = { "Event Processing", "UDP Listener", "WebSocket",
					      "Cache", "Errors" };

	return titles[section];
}

#define LABEL_COLUMNS 12
#define CELL_COLUMNS 9
#define GAP_COLUMNS 2
#define HALF_COLUMNS (LABEL_COLUMNS + VIEW_COUNT * CELL_COLUMNS)

static void put_cells(struct page *page, const char (*cells)[CELL_BYTES], enum style style,
		      unsigned columns)
{
	for (int v = 0; v < VIEW_COUNT; v++)
		page_right(page, style, cells[v], columns);
}

static void put_line(struct page *page, const struct dashboard_line *line, unsigned label,
		     unsigned cell)
{
	page_put(page, STYLE_PLAIN, " ");
	page_fit(page, STYLE_PLAIN, line->label, label - 1);
	put_cells(page, line->cells, line->style, cell);
}

/* The title may be longer than labels are; heads stand over their cells all the same. */
static void put_title(const struct dashboard *dashboard, struct page *page, int section,
		      unsigned label, unsigned cell)
{
	char title[32];
	unsigned columns;

	snprintf(title, sizeof(title), "%s:", section_title(section));
	columns = page_columns(page, title);
	/* In a narrow one the colon would touch the head. */
	if (columns + 4 >= label + cell)
		title[--columns] = '\0';
	page_put(page, STYLE_TITLE, title);
	if (!dashboard->known[section]) {
		page_put(page, STYLE_DIM, " -");
		return;
	}
	page_right(page, STYLE_DIM, dashboard->heads[0], label + cell - columns);
	for (int v = 1; v < VIEW_COUNT; v++)
		page_right(page, STYLE_DIM, dashboard->heads[v], cell);
}

/* --- one below the other ---------------------------------------------------------- */

void dashboard_put_tall(const struct dashboard *dashboard, struct page *page, unsigned width)
{
	unsigned cell = width < 60 ? CELL_COLUMNS : 12;
	unsigned rest = width > VIEW_COUNT * cell ? width - VIEW_COUNT * cell : 0;
	unsigned label = rest < LABEL_COLUMNS ? LABEL_COLUMNS : rest < 28 ? rest : 28;

	for (int section = 0; section < SECTION_COUNT; section++) {
		page_begin(page);
		put_title(dashboard, page, section, label, cell);
		for (size_t i = 0; dashboard->known[section] && i < dashboard->line_count; i++) {
			if (dashboard->lines[i].section != section)
				continue;
			page_begin(page);
			put_line(page, &dashboard->lines[i], label, cell);
		}
	}
}

/* --- in two columns ------------------------------------------------------------- */

/* A half of a row: a section's title, or its n-th line. */
struct place {
	int section;
	int line;
};

enum { LINE_TITLE = -2, LINE_HEADS = -1 /* the title, and what the columns are */ };

static const struct dashboard_line *line_at(const struct dashboard *dashboard,
					    struct place place)
{
	int n = place.line;

	for (size_t i = 0; i < dashboard->line_count; i++) {
		if (dashboard->lines[i].section == place.section && n-- == 0)
			return &dashboard->lines[i];
	}
	return NULL;
}

static void put_place(const struct dashboard *dashboard, struct page *page, struct place place)
{
	const struct dashboard_line *line;

	if (place.line == LINE_HEADS) {
		put_title(dashboard, page, place.section, LABEL_COLUMNS, CELL_COLUMNS);
	} else if (place.line == LINE_TITLE) {
		page_print(page, STYLE_TITLE, "%s:", section_title(place.section));
		if (!dashboard->known[place.section])
			page_put(page, STYLE_DIM, " -");
	} else if (dashboard->known[place.section]) {
		line = line_at(dashboard, place);
		if (line)
			put_line(page, line, LABEL_COLUMNS, CELL_COLUMNS);
	}
}

/* The total, and as many of the errors by name as there is room for. */
static void put_errors(const struct dashboard *dashboard, struct page *page, unsigned width)
{
	const struct dashboard_line *line;
	unsigned column = HALF_COLUMNS + GAP_COLUMNS;

	page_begin(page);
	page_fit(page, STYLE_TITLE, "Errors:", LABEL_COLUMNS);
	if (!dashboard->known[SECTION_ERRORS]) {
		page_put(page, STYLE_DIM, "-");
		return;
	}
	line = line_at(dashboard, (struct place){ SECTION_ERRORS, 0 });
	if (line)
		put_cells(page, line->cells, line->style, CELL_COLUMNS);
	for (int i = 1; (line = line_at(dashboard, (struct place){ SECTION_ERRORS, i })); i++) {
		const char *name = line->label + strlen("errors."), *count = line->cells[VIEW_LIFE];
		unsigned columns = page_columns(page, name) + page_columns(page, count) + 1;

		if (column + columns > width)
			break;
		page_to(page, STYLE_PLAIN, column);
		page_print(page, STYLE_PLAIN, "%s ", name);
		page_put(page, line->style, count);
		column += columns + GAP_COLUMNS;
	}
}

void dashboard_put_wide(const struct dashboard *dashboard, struct page *page, unsigned width)
{
	static const struct place places[DASHBOARD_WIDE_ROWS - 1][2] = {
		{ { SECTION_EVENTS, LINE_HEADS }, { SECTION_UDP, LINE_HEADS } },
		{ { SECTION_EVENTS, 0 }, { SECTION_UDP, 0 } },
		{ { SECTION_EVENTS, 1 }, { SECTION_UDP, 1 } },
		{ { SECTION_EVENTS, 2 }, { SECTION_UDP, 2 } },
		{ { SECTION_EVENTS, 3 }, { SECTION_WEBSOCKET, LINE_TITLE } },
		{ { SECTION_CACHE, LINE_TITLE }, { SECTION_WEBSOCKET, 0 } },
		{ { SECTION_CACHE, 0 }, { SECTION_WEBSOCKET, 1 } },
	};

	for (size_t row = 0; row < DASHBOARD_WIDE_ROWS - 1; row++) {
		page_begin(page);
		put_place(dashboard, page, places[row][0]);
		page_to(page, STYLE_PLAIN, HALF_COLUMNS + GAP_COLUMNS);
		put_place(dashboard, page, places[row][1]);
	}
	put_errors(dashboard, page, width);
}

/* --- in a line or two ------------------------------------------------------------ */

void dashboard_put_brief(const struct dashboard *dashboard, struct page *page, unsigned width,
			 unsigned rows)
{
	static const struct {
		struct place place;
		const char *name;
		enum view view;
	} items[] = {
		{ { SECTION_EVENTS, 0 }, "events", VIEW_NOW },
		{ { SECTION_EVENTS, 2 }, "p95", VIEW_WINDOW },
		{ { SECTION_UDP, 2 }, "loss", VIEW_WINDOW },
		{ { SECTION_ERRORS, 0 }, "errors", VIEW_LIFE },
		{ { SECTION_WEBSOCKET, 0 }, "clients", VIEW_NOW },
		{ { SECTION_CACHE, 0 }, "cache", VIEW_NOW },
	};
	unsigned column = width, used = 0;

	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		const struct dashboard_line *line = line_at(dashboard, items[i].place);
		const char *cell = line ? line->cells[items[i].view] : "-";
		unsigned columns = page_columns(page, items[i].name) + page_columns(page, cell) + 1;

		if (!dashboard->known[items[i].place.section])
			continue;
		if (column > 0 && column + GAP_COLUMNS + columns > width) {
			if (used++ == rows)
				return;
			page_begin(page);
			column = 0;
		}
		if (column > 0)
			page_put(page, STYLE_PLAIN, "  ");
		page_print(page, STYLE_TITLE, "%s ", items[i].name);
		page_put(page, line ? line->style : STYLE_PLAIN, cell);
		column += columns + (column > 0 ? GAP_COLUMNS : 0);
	}
}
