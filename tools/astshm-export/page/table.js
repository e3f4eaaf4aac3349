// SPDX-License-Identifier: MIT
// All series: searched, sorted, and walked through with the keyboard.
import { sparkline } from "./chart.js";
import { el, mark, write } from "./dom.js";
import * as format from "./format.js";
import { pointOf } from "./history.js";

const ROWS_MAX = 300; // more are for who asks: a browser draws thousands of rows slowly
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
	constructor(parts, open) {
		Object.assign(this, { ...parts, open, rows: new Map(), shown: [], all: false });
		this.kinds = new Set(KINDS);
		this.column = COLUMNS[0];
		this.backwards = false;
		this.body = el("tbody");
		this.table.append(el("caption", { class: "hidden" }, "Series of the segment"),
			el("thead", {}, el("tr", {}, ...COLUMNS.map((column) => this.head(column)))), this.body);
		this.body.addEventListener("keydown", (event) => this.key(event));
		this.body.addEventListener("focusin", (event) => this.enter(event.target));
		this.search.addEventListener("input", () => this.again());
		this.more.addEventListener("click", () => {
			this.all = true;
			this.again();
		});
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

	again() {
		if (this.model)
			this.show(this.model, this.units, true);
	}

	choose(model) {
		const matches = matcher(this.search.value), { get } = this.column;
		const chosen = model.series.filter((s) => this.kinds.has(s.kind) && matches(s.key))
			.map((series) => ({ series, value: get(model, series) }));
		chosen.sort((a, b) => compare(a.value, b.value) || compare(a.series.key, b.series.key));
		if (this.backwards)
			chosen.reverse();
		return chosen.map(({ series }) => series);
	}

	show(model, units, asked = false) {
		Object.assign(this, { model, units });
		const chosen = this.choose(model);
		const shown = this.all ? chosen : chosen.slice(0, ROWS_MAX);
		this.place(shown);
		for (const series of shown)
			this.rows.get(series.id).show(model, series, units);
		if (asked || this.drawn !== shown.length)
			this.draw(model);
		this.drawn = shown.length;
		this.tell(chosen.length, model.series.length);
		this.more.hidden = shown.length === chosen.length;
		write(this.more, `Show all ${chosen.length}`);
	}

	tell(chosen, all) {
		write(this.count, chosen === all ? `${all} series` : `${chosen} of ${all} series`);
	}

	// Rows that stay where they are keep the focus and what the reader is reading.
	place(shown) {
		const wanted = new Set(shown.map((series) => series.id));
		for (const [id, row] of this.rows) {
			if (!wanted.has(id)) {
				row.node.remove();
				this.rows.delete(id);
			}
		}
		shown.forEach((series, i) => {
			let row = this.rows.get(series.id);
			if (!row) {
				row = new Row(series, this.open);
				this.rows.set(series.id, row);
			}
			this.put(row.node, i);
		});
		this.shown = shown.map((series) => series.id);
		this.offer();
	}

	// Moving an element takes the focus from what is in it.
	put(node, i) {
		const there = this.body.children[i];
		if (there === node)
			return;
		const focused = node.contains(document.activeElement) ? document.activeElement : null;
		this.body.insertBefore(node, there ?? null);
		focused?.focus({ preventScroll: true });
	}

	draw(model) {
		const end = model.history.last?.to ?? 0;
		for (const id of this.shown)
			this.rows.get(id).draw(model, model.byId.get(id), end);
	}

	// One row can be reached by Tab, the others from there.
	offer() {
		if (!this.rows.has(this.current))
			this.current = this.shown[0];
		for (const [id, row] of this.rows)
			mark(row.button, "tabindex", id === this.current ? "0" : "-1");
	}

	enter(target) {
		const found = [...this.rows.values()].find((row) => row.button === target);
		if (found) {
			this.current = found.id;
			this.offer();
		}
	}

	key(event) {
		const last = this.shown.length - 1, at = this.shown.indexOf(this.current);
		const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last,
			PageDown: at + PAGE_ROWS, PageUp: at - PAGE_ROWS };
		if (!(event.key in places) || event.ctrlKey || event.altKey || event.metaKey)
			return;
		event.preventDefault();
		this.focus(this.shown[Math.max(0, Math.min(last, places[event.key]))]);
	}

	focus(id = this.current) {
		this.rows.get(id)?.button.focus();
	}

	clear() {
		this.body.replaceChildren();
		this.rows.clear();
		this.shown = [];
		this.all = false;
		this.drawn = -1;
	}
}
