// SPDX-License-Identifier: MIT
// All series: searched, sorted, and walked through with the keyboard.
import { sparkline } from "./chart.js";
import { el, mark, write } from "./dom.js";
import * as format from "./format.js";
import { pointOf } from "./history.js";
import { Rows } from "./rows.js";

const PAGE_ROWS = 10;
const TREND_SECONDS = 120;
const KINDS = ["counter", "gauge", "timing", "distribution"];

const isHistogram = (series) => series.kind === "timing" || series.kind === "distribution";

function value(model, series) {
	const life = model.life(series);
	return series.kind === "counter" ? life.value : series.kind === "gauge" ? life.current : life.count;
}

function statistic(name) {
	return (model, series) => series.kind === "counter" ? null : model.window(series)?.[name] ?? null;
}

function amount(number, series, units) {
	return number === null ? "" : format.amount(number, series.family, units);
}

function rate(number, series, units) {
	return Number.isFinite(number) ? format.rate(number, units) : series.kind === "gauge" ? "" : "–";
}

// get: what is sorted by; put: what is shown of it.
const COLUMNS = [
	{ id: "name", title: "Metric", get: (model, series) => series.key, ascending: true },
	{ id: "value", title: "Value", get: value,
		put: (number, series, units) => isHistogram(series) ? format.count(number, units)
			: format.amount(number, series.family, units) },
	{ id: "rate", title: "Rate/s", get: (model, series) => model.rate(series), put: rate },
	{ id: "average", title: "Avg/s", get: (model, series) => model.window(series)?.rate ?? NaN, put: rate },
	{ id: "min", title: "Min", get: statistic("min"), put: amount },
	{ id: "p50", title: "p50", get: statistic("p50"), put: amount },
	{ id: "p95", title: "p95", get: statistic("p95"), put: amount },
	{ id: "p99", title: "p99", get: statistic("p99"), put: amount },
	{ id: "max", title: "Max", get: statistic("max"), put: amount },
	{ id: "trend", title: "Trend" },
];

// A piece of the key in any case; with * a pattern for all of it.
function matcher(text) {
	const wanted = text.trim().toLowerCase();
	if (!wanted.includes("*"))
		return (key) => key.toLowerCase().includes(wanted);
	const pattern = wanted.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
	const regex = new RegExp(`^${pattern.join(".*")}$`, "s");
	return (key) => regex.test(key.toLowerCase());
}

function compare(a, b) {
	if (typeof a === "string")
		return a < b ? -1 : a > b ? 1 : 0;
	const missing = Number(!Number.isFinite(a)) - Number(!Number.isFinite(b));
	return missing || b - a;
}

function label(series) {
	const tags = Object.entries(series.tags);
	return [el("span", { class: "metric" }, series.name),
		...tags.map(([key, text]) => el("span", { class: "tag" }, el("i", {}, `${key}=`), text))];
}

class Row {
	constructor(series, open) {
		this.id = series.id;
		this.button = el("button", { type: "button", class: "series-button", tabindex: "-1",
			onclick: () => open(this.id) }, ...label(series));
		this.cells = new Map(COLUMNS.slice(1).map(({ id }) => [id, el("td", { class: `c-${id}` })]));
		this.node = el("tr", { "data-kind": series.kind },
			el("th", { scope: "row", title: series.family.help || null }, this.button),
			...this.cells.values());
	}

	show(model, series, units) {
		for (const column of COLUMNS) {
			if (column.put)
				write(this.cells.get(column.id),
					column.put(column.get(model, series), series, units));
		}
		const still = isHistogram(series) || series.kind === "counter" ?
			!(model.window(series)?.rate > 0 || model.rate(series) > 0) : false;
		this.node.classList.toggle("still", still);
	}

	draw(model, series, end) {
		const line = sparkline(model.history.columns(TREND_SECONDS, end,
			(interval) => pointOf(interval, series)), TREND_SECONDS, end);
		this.cells.get("trend").replaceChildren(...line ? [line] : []);
	}
}

export class SeriesTable {
	// open(id) shows the detail; moved() is told that other series are in view.
	constructor(parts, open, moved) {
		Object.assign(this, { ...parts, open });
		this.kinds = new Set(KINDS);
		this.column = COLUMNS[0];
		this.backwards = false;
		this.table.append(el("caption", { class: "hidden" }, "Series of the segment"),
			el("thead", {}, el("tr", { "aria-rowindex": "1" }, ...COLUMNS.map((column) => this.head(column)))));
		this.rows = new Rows(this.scroller, this.table, (series) => this.make(series), moved);
		this.rows.body.addEventListener("keydown", (event) => this.key(event));
		this.rows.body.addEventListener("focusin", (event) => this.rows.enter(event.target));
		this.search.addEventListener("input", () => this.again());
		this.kindsHost.append(...KINDS.map((kind) => this.kindButton(kind)));
	}

	head(column) {
		if (!column.get)
			return el("th", { scope: "col", class: `c-${column.id}` }, column.title);
		column.button = el("button", { type: "button", onclick: () => this.sortBy(column) }, column.title);
		column.node = el("th", { scope: "col", class: `c-${column.id}`,
			"aria-sort": column === this.column ? "ascending" : "none" }, column.button);
		return column.node;
	}

	kindButton(kind) {
		return el("button", { type: "button", "aria-pressed": "true", onclick: (event) => {
			if (!this.kinds.delete(kind))
				this.kinds.add(kind);
			mark(event.currentTarget, "aria-pressed", String(this.kinds.has(kind)));
			this.again();
		} }, `${kind}s`);
	}

	// Largest first, names in order; once more: the other way round.
	sortBy(column) {
		this.backwards = column === this.column && !this.backwards;
		this.column = column;
		for (const other of COLUMNS.filter(({ node }) => node))
			mark(other.node, "aria-sort", other !== column ? "none"
				: Boolean(column.ascending) !== this.backwards ? "ascending" : "descending");
		this.again();
	}

	// What was asked for begins at its first row.
	again() {
		this.chosenOf = null;
		this.scroller.scrollTop = 0;
		if (this.model)
			this.show(this.model, this.units);
	}

	// Each time from the order of the time before, which is nearly that of this time.
	choose(model) {
		const { get } = this.column, sign = this.backwards ? -1 : 1, isNew = this.chosenOf !== model.series;
		if (isNew) {
			const matches = matcher(this.search.value);
			this.chosen = model.series.filter((s) => this.kinds.has(s.kind) && matches(s.key))
				.map((series) => ({ series, value: null }));
			this.chosenOf = model.series;
		}
		if (!isNew && get === COLUMNS[0].get)
			return this.chosen.map(({ series }) => series);
		for (const each of this.chosen)
			each.value = get(model, each.series);
		this.chosen.sort((a, b) => sign * (compare(a.value, b.value) ||
			compare(a.series.key, b.series.key)));
		return this.chosen.map(({ series }) => series);
	}

	show(model, units) {
		Object.assign(this, { model, units });
		const list = this.choose(model);
		this.rows.set(list);
		for (const [id, row] of this.rows.there)
			row.show(model, model.byId.get(id), units);
		this.tell(list.length, model.series.length);
	}

	make(series) {
		const row = new Row(series, this.open);
		row.show(this.model, series, this.units);
		row.draw(this.model, series, this.model.history.last?.to ?? 0);
		return row;
	}

	tell(chosen, all) {
		write(this.count, chosen === all ? `${all} series` : `${chosen} of ${all} series`);
	}

	draw(model) {
		const end = model.history.last?.to ?? 0;
		for (const [id, row] of this.rows.there) {
			const series = model.byId.get(id);
			if (series)
				row.draw(model, series, end);
		}
	}

	// Of the series in view.
	get names() {
		const names = [...this.rows.there.keys()].map((id) => this.model.byId.get(id)?.name);
		return [...new Set(names)].filter((name) => name !== undefined);
	}

	// One row can be reached by Tab, the others from there.
	key(event) {
		const { at, list } = this.rows;
		const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1,
			PageDown: at + PAGE_ROWS, PageUp: at - PAGE_ROWS };
		if (!(event.key in places) || event.ctrlKey || event.altKey || event.metaKey)
			return;
		event.preventDefault();
		this.rows.focus(places[event.key]);
	}

	focus() {
		this.rows.focus();
	}

	clear() {
		this.rows.clear();
		this.chosenOf = null;
	}
}
