// SPDX-License-Identifier: MIT
// One timing over the last hour: time to the right, duration upwards, and how many samples
// a second as colour. Its own requests: buckets are much, and wanted of one metric alone.
import { extent, fill, lower, rowOf, rowsOf, upper } from "./buckets.js";
import { ask, literally, pathOf } from "./client.js";
import { el, mark, write } from "./dom.js";
import * as format from "./format.js";
import { History } from "./history.js";
import { color, onTheme } from "./theme.js";

const HOUR = 3600;
const FEWEST_SECONDS = 600; // a young server is not squeezed into the corner
const ROWS_MAX = 40;
const TIME_STEPS = [60, 300, 600, 1200, 1800]; // between marks
const LEFT = 62, BOTTOM = 20, TOP = 6, RIGHT = 8;
const SHADES = ["heat-1", "heat-2", "heat-3", "heat-4", "heat-5"];

function mixed(a, b, part) {
	return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * part)).join(" ")})`;
}

// 64 colours through those of the style sheet.
function palette() {
	const stops = SHADES.map((name) => color(name).match(/[\d.]+/g).slice(0, 3).map(Number));
	return Array.from({ length: 64 }, (none, i) => {
		const at = i / 63 * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
		return mixed(stops[low], stops[low + 1], at - low);
	});
}

export class Heatmap {
	constructor(parts) {
		Object.assign(this, { ...parts, history: new History(), series: null, cursor: -1 });
		this.canvas = el("canvas", { role: "img", tabindex: "0", class: "heatmap" });
		this.host.append(this.canvas);
		this.canvas.addEventListener("pointermove", (event) => this.pointAt(event.offsetX, event.offsetY));
		this.canvas.addEventListener("pointerleave", () => this.point(-1));
		this.canvas.addEventListener("keydown", (event) => this.key(event));
		this.canvas.addEventListener("blur", () => this.point(-1));
		new ResizeObserver(() => this.draw()).observe(this.host);
		onTheme(() => {
			this.colors = null;
			this.draw();
		});
	}

	// `model` names the segment; null: nothing to show.
	choose(model, series) {
		if (this.model === model && this.series?.id === series?.id)
			return;
		Object.assign(this, { model, series, cursor: -1 });
		this.history.clear();
		this.draw();
		if (series)
			this.load(HOUR).catch(() => {}); // the next tick tries again
	}

	async load(seconds) {
		const { model, series } = this;
		const path = pathOf(model.name, "history.json", [["window", seconds], ["buckets", 1],
			["last", 1], ["metric", literally(series.name)]]);
		const { document } = await ask(path);
		if (!document || this.series !== series)
			return;
		this.history.merge(document, model.now);
		this.draw();
	}

	// After a tick: what is new, or everything where that failed before.
	async follow() {
		if (this.series)
			await this.load(this.history.last ? this.history.period * 3 : HOUR);
	}

	cells() {
		const end = this.history.last?.to ?? 0, { group, key } = this.series;
		return this.history.intervals.filter((interval) => interval.to > end - HOUR)
			.map((interval) => ({ ...interval, value: interval[group][key] }))
			.filter(({ value }) => value?.buckets);
	}

	// How long it shows: the hour, or what there is of it.
	get span() {
		const { last, intervals } = this.history;
		return last ? Math.min(HOUR, Math.max(FEWEST_SECONDS, last.to - intervals[0].from)) : HOUR;
	}

	get spanText() {
		return this.span === HOUR ? "hour" : format.span(this.span);
	}

	draw() {
		const width = this.host.clientWidth, height = this.host.clientHeight;
		if (width === 0 || !this.series)
			return;
		const scale = devicePixelRatio || 1;
		this.canvas.width = Math.round(width * scale);
		this.canvas.height = Math.round(height * scale);
		const context = this.canvas.getContext("2d");
		context.scale(scale, scale);
		this.columns = this.cells();
		const range = extent(this.columns.map(({ value }) => value.buckets));
		this.rows = range && rowsOf(range, ROWS_MAX);
		this.describe();
		this.host.classList.toggle("bare", !this.rows);
		if (this.rows)
			this.paint(context, width, height);
	}

	paint(context, width, height) {
		const end = this.history.last.to, rowHeight = (height - TOP - BOTTOM) / this.rows.count;
		const { span } = this;
		const x = (t) => LEFT + (t - end + span) / span * (width - LEFT - RIGHT);
		const y = (row) => height - BOTTOM - row * rowHeight;
		Object.assign(this, { x, rowHeight, height });
		this.sums = this.columns.map(({ value }) => fill(this.rows, value.buckets));
		this.paintCells(context, x, y);
		this.paintAxes(context, x, y, width, height);
		if (this.columns[this.cursor])
			this.paintCursor(context, x, height);
	}

	paintCells(context, x, y) {
		this.colors ??= palette();
		const rates = this.sums.map((sums, i) => sums.map((n) => n / this.columns[i].seconds));
		const top = Math.log1p(Math.max(...rates.flat()) * 60);
		this.columns.forEach(({ from, to }, i) => {
			const left = x(from), across = Math.max(1, x(to) - left + 0.4);
			rates[i].forEach((rate, row) => {
				if (rate === 0)
					return;
				context.fillStyle = this.colors[Math.round(Math.log1p(rate * 60) / top * 63)];
				context.fillRect(left, y(row + 1), across, this.rowHeight + 0.4);
			});
		});
	}

	paintAxes(context, x, y, width, height) {
		context.font = "11px system-ui, sans-serif";
		context.fillStyle = color("quiet");
		context.textAlign = "right";
		context.textBaseline = "middle";
		for (const { value, row } of this.marks(height))
			context.fillText(this.put(value), LEFT - 8, Math.max(y(row), TOP + 5));
		this.paintTimes(context, x, width, height);
	}

	// Powers of ten, of bytes of four, as far apart as texts need.
	marks(height) {
		const low = lower(this.rows, 0), high = upper(this.rows, this.rows.count - 1);
		const base = this.series.family.unit === "bytes" ? 4 : 10;
		const power = (value) => Math.log(value) / Math.log(base), least = Math.ceil(power(low) - 1e-9);
		const step = Math.max(1, Math.ceil((power(high) - power(low)) / ((height - TOP - BOTTOM) / 22)));
		const marks = [];
		for (let i = least; i <= power(high); i += step)
			marks.push({ value: base ** i, row: rowOf(this.rows, base ** i) });
		return marks;
	}

	paintTimes(context, x, width, height) {
		const end = this.history.last.to, { span } = this;
		const step = TIME_STEPS.find((seconds) => span / seconds * 70 < width) ?? HOUR;
		context.textAlign = "center";
		for (let t = Math.ceil((end - span) / step) * step; t <= end; t += step) {
			if (x(t) > LEFT + 16 && x(t) < width - 20)
				context.fillText(format.clock(new Date(t * 1000), false), x(t), height - 8);
		}
	}

	paintCursor(context, x, height) {
		const { from, to } = this.columns[this.cursor];
		context.strokeStyle = color("ink");
		context.lineWidth = 1;
		context.strokeRect(x(from), TOP, Math.max(2, x(to) - x(from)), height - TOP - BOTTOM);
	}

	put(value) {
		return format.amount(value, this.series.family, "auto");
	}

	// What the picture says, for whoever does not see it.
	describe() {
		const counts = this.columns.map(({ value }) => value.count);
		const samples = counts.reduce((a, b) => a + b, 0);
		const p95 = this.columns.map(({ value }) => value.p95).filter((value) => value !== null);
		const text = samples === 0 ? `No sample in the last ${this.spanText}.`
			: `${format.count(samples, "auto")} samples in the last ${this.spanText}; the 95th percentile of its ` +
			`${p95.length} intervals went from ${this.put(Math.min(...p95))} to ${this.put(Math.max(...p95))}.`;
		write(this.text, text);
		write(this.title, `Last ${this.spanText}`);
		mark(this.canvas, "aria-label", `Histogram of ${this.series.key} over time. ${text}`);
	}

	pointAt(left, top) {
		if (!this.x || !this.columns)
			return;
		const index = this.columns.findIndex(({ from, to }) => this.x(from) <= left && left < this.x(to));
		this.point(index, Math.floor((this.height - BOTTOM - top) / this.rowHeight));
	}

	point(index, row = -1) {
		if (!this.columns || (index < 0 && this.cursor < 0))
			return;
		this.cursor = index;
		this.draw();
		write(this.readout, index < 0 ? "" : this.tell(this.columns[index], this.sums[index], row));
	}

	tell({ from, to, value }, sums, row) {
		const when = `${format.clock(new Date(from * 1000))} to ${format.clock(new Date(to * 1000))}: `;
		const all = `${value.count} samples` + (value.count ? `, p95 ${this.put(value.p95)}` : "");
		return when + all + (sums[row] > 0 ? `; ${sums[row]} of ${this.put(lower(this.rows, row))} ` +
			`to ${this.put(upper(this.rows, row))}` : "");
	}

	key(event) {
		const last = (this.columns?.length ?? 0) - 1, at = this.cursor;
		const places = { ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at < 0 ? last : at + 1, Home: 0,
			End: last };
		if (!(event.key in places) || last < 0)
			return;
		event.preventDefault();
		mark(this.readout, "aria-live", "polite");
		this.point(Math.max(0, Math.min(last, places[event.key])));
	}
}
