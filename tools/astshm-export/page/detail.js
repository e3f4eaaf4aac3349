// SPDX-License-Identifier: MIT
// One series: what it is, all statistics, how it went, and its histogram.
import { extent, fill, rowsOf, upper } from "./buckets.js";
import { ask, literally, pathOf } from "./client.js";
import { Chart } from "./chart.js";
import { el, write } from "./dom.js";
import * as format from "./format.js";
import { pointOf } from "./history.js";

const BARS_MAX = 24;
const TRENDS = { counter: "Rate", gauge: "Value", timing: "95th percentile",
	distribution: "95th percentile" };

const isHistogram = (series) => series.kind === "timing" || series.kind === "distribution";

// [title, now, window, lifetime, how to put it]; undefined: there is no such thing.
function statistics(model, series) {
	const life = model.life(series), window = model.window(series) ?? {};
	const put = (value, units) => format.amount(value, series.family, units);
	const row = (title, field, now) => [title, now, window[field], life[field], put];
	if (series.kind === "counter")
		return [["Total", undefined, undefined, life.value, put],
			["Increase", model.risen(series), window.increase, undefined,
				(value, units) => format.increase(value, series.family, units)],
			["Rate/s", model.rate(series), window.rate, undefined, format.rate]];
	if (series.kind === "gauge")
		return [["Current", life.current, window.last, life.current, put],
			["Times set", undefined, undefined, life.count, format.count],
			row("Min", "min"), ["Mean", undefined, undefined, life.mean, put], row("Max", "max")];
	return [["Samples", model.risen(series), window.count, life.count, format.count],
		["Rate/s", model.rate(series), window.rate, undefined, format.rate],
		["Sum", undefined, undefined, life.sum, put], row("Mean", "mean"), row("Min", "min"),
		row("p50", "p50"), row("p90", "p90"), row("p95", "p95"), row("p99", "p99"), row("p99.9", "p999"),
		row("Max", "max")];
}

export class Detail {
	constructor(dialog, title, body, onclose) {
		Object.assign(this, { dialog, title, body, series: null, view: "window" });
		dialog.addEventListener("close", () => {
			this.chart?.destroy();
			this.chart = this.series = null;
			this.body.replaceChildren();
			onclose();
		});
	}

	get isOpen() {
		return this.dialog.open;
	}

	open(model, series) {
		this.series = series;
		write(this.title, series.key);
		this.numbers = el("tbody");
		this.heads = ["now", "window", "lifetime"].map(() => el("th", { scope: "col" }));
		this.cells = [];
		this.figure = el("div", { class: "detail-chart" });
		this.histogram = el("div", { class: "histogram" });
		this.body.replaceChildren(this.identity(series),
			el("table", { class: "figures wide" }, el("caption", { class: "hidden" }, "Statistics"),
				el("thead", {}, el("tr", {}, el("td"), ...this.heads)), this.numbers),
			el("h3", {}, TRENDS[series.kind]), this.figure,
			...isHistogram(series) ? [this.histogramHead(), this.histogram] : []);
		this.dialog.showModal();
		this.chart = new Chart(this.figure, TRENDS[series.kind], [{ label: "", color: "line-1" }],
			this.putPoint(series));
		this.loadPast(model, series).catch(() => {}); // then the chart is as long as the others
	}

	putPoint(series) {
		return series.kind === "counter" ? (value) => format.perSecond(value, "auto")
			: (value) => format.amount(value, series.family, "auto");
	}

	identity(series) {
		const { family } = series;
		const facts = [["Kind", series.kind + (family.monotonic === false ? ", goes up and down" : "")],
			["Unit", family.unit], ["Help", family.help], ...Object.entries(series.tags)];
		return el("dl", { class: "identity" }, ...facts.filter(([, text]) => text)
			.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text))));
	}

	histogramHead() {
		const choice = (view, text) => el("label", {}, el("input", { type: "radio", name: "histogram",
			value: view, checked: view === this.view, onchange: () => {
				this.view = view;
				this.putBars();
			} }), ` ${text}`);
		return el("div", { class: "histogram-head" }, el("h3", {}, "Histogram"),
			choice("window", "of the window"), choice("life", "of the lifetime"));
	}

	async loadPast(model, series) {
		const { document } = await ask(pathOf(model.name, "history.json", [["window", 3600],
			["last", 1], ["metric", literally(series.name)]]));
		if (document)
			model.takePast(document);
	}

	show(model, units) {
		const series = model.byId.get(this.series.id);
		if (!series)
			return; // removed meanwhile: what was seen last stays
		[format.span(model.seconds), format.span(model.windowSeconds), "lifetime"]
			.forEach((text, i) => write(this.heads[i], text));
		const rows = statistics(model, series);
		if (this.cells.length !== rows.length)
			this.build(rows);
		rows.forEach(([, now, window, life, put], i) => [now, window, life].forEach((value, v) =>
			write(this.cells[i][v], value === undefined ? "" : put(value, units))));
	}

	build(rows) {
		this.cells = rows.map(() => [el("td"), el("td"), el("td")]);
		this.numbers.replaceChildren(...rows.map(([title], i) => el("tr", {},
			el("th", { scope: "row" }, title), ...this.cells[i])));
	}

	draw(model, seconds, end) {
		const { series } = this;
		this.chart.update(model.history.columns(seconds, end,
			(interval) => pointOf(interval, series)), seconds, end);
	}

	// Buckets are asked for here alone.
	async follow(model, window) {
		const { series } = this;
		if (!isHistogram(series))
			return;
		const { document } = await ask(pathOf(model.name, "snapshot.json", [["window", window],
			["buckets", 1], ["last", 1], ["metric", literally(series.name)]]));
		if (!document || this.series !== series)
			return;
		this.values = { window: document.window?.[series.group][series.key],
			life: document.metrics[series.group][series.key] };
		this.putBars();
	}

	putBars() {
		const value = this.values?.[this.view], buckets = value?.buckets;
		if (!buckets || !(value.count > 0)) {
			this.histogram.replaceChildren(el("p", { class: "note" }, "No sample."));
			return;
		}
		const bars = this.bars(buckets), most = Math.max(...bars.map((bar) => bar.count));
		this.histogram.replaceChildren(el("table", { class: "bars" },
			el("caption", { class: "hidden" }, "Samples by size, on a logarithmic scale"),
			el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "up to"),
				el("th", { scope: "col" }, "samples"), el("td"))),
			el("tbody", {}, ...bars.map((bar) => this.bar(bar, most)))));
	}

	bars(buckets) {
		const bars = buckets.zero_count ? [{ upper: "0", count: buckets.zero_count }] : [];
		const range = extent([buckets]);
		if (range) {
			const rows = rowsOf(range, BARS_MAX);
			fill(rows, buckets).forEach((count, row) => bars.push({ count,
				upper: format.amount(upper(rows, row), this.series.family, "auto") }));
		}
		return buckets.overflow_count ? [...bars, { upper: "more", count: buckets.overflow_count }] : bars;
	}

	bar({ upper: text, count }, most) {
		const bar = el("div", { class: "bar" });
		bar.style.inlineSize = `${(count / most * 100).toFixed(2)}%`;
		return el("tr", {}, el("th", { scope: "row" }, text), el("td", {}, format.count(count, "auto")),
			el("td", { class: "bar-cell" }, bar));
	}
}
