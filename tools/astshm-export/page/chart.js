// SPDX-License-Identifier: MIT
// Lines over time: uPlot's where it was built in, else plain SVG without axes.
import uPlot from "./uplot.js";
import { el, mark, svg, write } from "./dom.js";
import { clock } from "./format.js";
import { color, onTheme } from "./theme.js";

const HEIGHT = 118;
const FONT = "11px system-ui, sans-serif";
const charts = new Set();

export const hasAxes = uPlot !== null;

onTheme(() => charts.forEach((chart) => chart.redraw()));

function known(column) {
	return column.filter((value) => value !== null);
}

function least(values) {
	return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values) {
	return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

// From zero up, with air above; a flat line at zero lies on the ground.
function heights(values) {
	const low = Math.min(0, least(values)), high = Math.max(0, most(values));
	return high - low > 0 ? [low, high + (high - low) * 0.12] : [0, 1];
}

export class Chart {
	// lines: [{ label, color }], the latter a custom property of the style sheet.
	constructor(host, title, lines, format, mark = format) {
		Object.assign(this, { title, lines, format, mark, data: null });
		this.plot = el("div", { class: hasAxes ? "plot" : "plot plain", role: "img" });
		this.when = el("span", { class: "when" });
		this.values = lines.map(() => el("b"));
		this.figure = el("figure", { class: "chart" }, this.plot, el("figcaption", {},
			...lines.map((line, i) => el("span", { class: `key ${line.color}` },
				line.label === "" ? "" : `${line.label} `, this.values[i])), this.when));
		host.append(this.figure);
		charts.add(this);
		this.watcher = new ResizeObserver(() => this.resize());
		this.watcher.observe(this.plot);
	}

	destroy() {
		this.watcher.disconnect();
		charts.delete(this);
		this.drawn?.destroy();
		this.figure.remove();
	}

	// columns as of History.columns; the chart shows the `seconds` before `end`.
	update(columns, seconds, end) {
		this.data = columns;
		this.range = [end - seconds, end];
		this.describe();
		if (this.drawn) {
			this.drawn.setData(columns);
			this.point(this.drawn);
			return;
		}
		this.showValues(columns[0].length - 1, false);
		if (hasAxes)
			this.draw();
		else
			this.drawPlain();
	}

	// What the picture says, for whoever does not see it.
	describe() {
		const lines = this.lines.map((line, i) => {
			const values = known(this.data[i + 1]);
			const text = values.length === 0 ? "no value" : `from ${this.format(least(values))} to ` +
				`${this.format(most(values))}, last ${this.format(values.at(-1))}`;
			return line.label ? `${line.label} ${text}` : text;
		});
		mark(this.plot, "aria-label", `${this.title} since ${clock(new Date(this.range[0] * 1000))}: ` +
			lines.join("; "));
	}

	showValues(index, pointed) {
		this.lines.forEach((line, i) => write(this.values[i],
			this.format(this.data[i + 1][index] ?? null)));
		const time = this.data[0][index];
		write(this.when, pointed && time ? clock(new Date(time * 1000)) : "");
	}

	redraw() {
		this.drawn?.destroy();
		this.drawn = null;
		if (hasAxes && this.data)
			this.draw();
	}

	resize() {
		const width = this.plot.clientWidth;
		if (this.drawn && width > 0 && width !== this.drawn.width)
			this.drawn.setSize({ width, height: HEIGHT });
		else if (hasAxes && this.data && !this.drawn)
			this.draw();
	}

	draw() {
		if (this.plot.clientWidth > 0)
			this.drawn = new uPlot(this.options(), this.data, this.plot);
	}

	options() {
		const axis = { stroke: color("quiet"), font: FONT, grid: { stroke: color("grid"), width: 1 },
			ticks: { show: false } };
		return {
			width: this.plot.clientWidth, height: HEIGHT, padding: [8, 6, 0, 0],
			legend: { show: false },
			cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
			scales: { x: { range: () => this.range },
				y: { range: () => heights(this.data.slice(1).flatMap(known)) } },
			axes: [{ ...axis, size: 22, space: 64,
				values: (plot, splits) => splits.map((t) => clock(new Date(t * 1000), t % 60 !== 0)) },
			{ ...axis, size: 58, space: 30,
				values: (plot, splits) => splits.map((value) => this.mark(value)) }],
			series: [{}, ...this.lines.map((line) => this.seriesOptions(line))],
			hooks: { setCursor: [(plot) => this.point(plot)] },
		};
	}

	seriesOptions(line) {
		const stroke = color(line.color);
		return { stroke, width: 1.6, points: { show: () => this.data[0].length < 3, size: 4 },
			fill: this.lines.length === 1 ? stroke.replace(/rgba?\(([^)]*)\)/, "rgba($1, 0.13)") : undefined };
	}

	point(plot) {
		const index = plot.cursor.idx;
		const pointed = index !== null && index !== undefined && plot.cursor.left >= 0;
		this.showValues(pointed ? index : this.data[0].length - 1, pointed);
	}

	drawPlain() {
		const [low, high] = heights(this.data.slice(1).flatMap(known));
		const at = (t, value) => `${((t - this.range[0]) / (this.range[1] - this.range[0]) * 1000).toFixed(1)},` +
			`${((high - value) / (high - low) * 100).toFixed(1)}`;
		this.plot.replaceChildren(svg("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none",
			"aria-hidden": "true" }, ...this.lines.map((line, i) => svg("path", {
			class: line.color, d: path(this.data[0], this.data[i + 1], at) }))));
	}
}

// A path of pieces: a null ends one.
function path(times, values, at) {
	let pen = "M", d = "";
	values.forEach((value, i) => {
		if (value !== null)
			d += `${pen}${at(times[i], value)}`;
		pen = value === null ? "M" : "L";
	});
	return d;
}

// A line for a table's cell, without words: the cells beside it have the numbers.
export function sparkline(columns, seconds, end) {
	const [times, values] = columns, range = known(values);
	if (range.length < 2)
		return null;
	const low = Math.min(0, least(range)), high = Math.max(most(range), low + 1e-12);
	const at = (t, value) => `${((t - end + seconds) / seconds * 100).toFixed(1)},` +
		`${(18 - (value - low) / (high - low) * 16).toFixed(1)}`;
	return svg("svg", { class: "spark", viewBox: "0 0 100 20", preserveAspectRatio: "none",
		"aria-hidden": "true" }, svg("path", { d: path(times, values, at) }));
}
