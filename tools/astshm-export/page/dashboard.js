// SPDX-License-Identifier: MIT
// What is looked at first, as in astshm-top (tools/astshm-top/dashboard.c): each figure
// since the look before, in the window, and in the lifetime.
import { Chart } from "./chart.js";
import { el, mark, write } from "./dom.js";
import * as format from "./format.js";

const SLOW_SECONDS = 0.1; // as the metrics document alerts: p95 above 100 ms
const LATENCY = "event.processing.duration";
const VIEWS = ["now", "window", "life"];

export const FAMILIES = ["events.processed", LATENCY, "udp.packet.*", "websocket.clients",
	"websocket.broadcast.success", "cache.hit_rate", "errors.*", "process.cpu.seconds"];

// --- figures ------------------------------------------------------------------------

const sum = (values) => values.reduce((a, b) => a + b, 0);

// A counter in the three views: { risen, rate } each, NaN where there is none.
function amounts(model, series) {
	if (series.length === 0)
		return null;
	const windows = series.map((s) => model.window(s)).filter((w) => w);
	const risen = sum(series.map((s) => model.risen(s)));
	return {
		now: { risen, rate: risen / model.seconds },
		window: windows.length === 0 ? { risen: NaN, rate: NaN }
			: { risen: sum(windows.map((w) => w.increase)), rate: sum(windows.map((w) => w.rate)) },
		life: { risen: sum(series.map((s) => model.life(s).value)), rate: NaN },
	};
}

function flow(model, units, label, name) {
	const all = amounts(model, model.total("counter", name));
	return all && { label, cells: [format.perSecond(all.now.rate, units),
		format.perSecond(all.window.rate, units), format.count(all.life.risen, units)] };
}

function plus(value, units) {
	return Number.isNaN(value) ? format.count(value) : "+" + format.count(value, units);
}

// What is rare is told in events, not in events per second.
function rare(all, units, label) {
	return all && { label, style: all.now.risen > 0 ? "bad" : all.window.risen > 0 ? "warn" : "",
		cells: [plus(all.now.risen, units), plus(all.window.risen, units),
			format.count(all.life.risen, units)] };
}

function loss(model) {
	const of = (name, view) => amounts(model, model.total("counter", name))?.[view].risen ?? 0;
	return { label: "Loss rate", cells: VIEWS.map((view) => {
		const lost = Math.max(0, of("udp.packet.dropped", view) - of("udp.packet.late", view));
		const all = of("udp.packet.received", view) + lost;
		return format.percent(Number.isNaN(all) ? NaN : all === 0 ? 0 : lost / all);
	}) };
}

function gauge(model, units, label, name, isShare) {
	const series = model.find("gauge", name);
	if (!series)
		return null;
	const put = isShare ? format.percent : (value) => format.count(value, units);
	const end = isShare ? "min" : "max", word = isShare ? "lo " : "hi ";
	const life = model.life(series), window = model.window(series);
	return { label, cells: [put(life.current), window ? word + put(window[end]) : format.count(NaN),
		life.count > 0 ? word + put(life[end]) : format.count(NaN)] };
}

// A gauge of that name comes before a counter, which is a state then.
function clients(model, units) {
	const counter = model.find("counter", "websocket.clients");
	return gauge(model, units, "Clients", "websocket.clients") ??
		(counter ? { label: "Clients", cells: [format.count(model.life(counter).value, units),
			format.count(NaN), format.count(NaN)] } : null);
}

// Seconds: of the series without tags, else what /summary.json has added up.
function quantiles(model) {
	const series = model.find("timing", LATENCY);
	if (series)
		return [model.history.last?.timings[LATENCY], model.window(series), model.life(series)];
	return model.latency ? [undefined, model.latency.window, model.latency.life] : null;
}

function latency(model, units) {
	const views = quantiles(model);
	if (!views)
		return [];
	return ["p50", "p95", "p99"].map((name) => ({ label: name,
		style: name === "p95" && views[1]?.p95 > SLOW_SECONDS ? "warn" : "",
		cells: views.map((view) => format.time(view?.[name], units)) }));
}

function errorNames(model) {
	const kind = "counter ";
	return [...model.byName.keys()].filter((key) => key.startsWith(`${kind}errors.`) &&
		!key.endsWith(".by_type")).map((key) => key.slice(kind.length));
}

function errors(model, units) {
	const of = (names) => amounts(model, names.flatMap((name) => model.named("counter", name)));
	const names = errorNames(model);
	return names.length === 0 ? [] : [rare(of(names), units, "Total"),
		...names.map((name) => rare(of([name]), units, name.slice("errors.".length)))];
}

function fact(label, value, style = "") {
	return { label, cells: [value], style };
}

function cpu(model) {
	const series = model.find("counter", "process.cpu.seconds");
	return series ? format.percent(model.rate(series)) : null;
}

function server(model, units) {
	const { segment } = model.snapshot;
	const resident = model.find("gauge", "process.resident_memory.bytes");
	return [
		fact("Process", String(segment.pid)),
		cpu(model) ? fact("Processor", cpu(model)) : null,
		resident ? fact("Memory", format.bytes(model.life(resident).current)) : null,
		fact("Segment", format.bytes(segment.bytes)),
		fact("Threads", String(segment.threads)),
		fact("Series", String(model.series.length)),
		segment.dropped ? fact("Records lost", format.count(segment.dropped, units), "warn") : null,
		segment.enabled ? null : fact("Recording", "switched off", "warn"),
	];
}

// --- charts --------------------------------------------------------------------------

function rateOf(model, name) {
	const series = model.total("counter", name);
	return (interval) => {
		const rates = series.map((s) => interval.counters[s.key]?.rate).filter(Number.isFinite);
		return rates.length > 0 ? sum(rates) : null;
	};
}

function errorRate(model) {
	const picks = errorNames(model).map((name) => rateOf(model, name));
	return (interval) => picks.length > 0 ? sum(picks.map((pick) => pick(interval) ?? 0)) : null;
}

const perSecond = (value) => format.perSecond(value, "auto");
const RATES = { format: perSecond, mark: format.mark }; // words for axes are short
const quantile = (name) => () => (interval) => interval.timings[LATENCY]?.[name];

const SECTIONS = [
	{ id: "server", title: "Server", lines: server,
		big: (model) => ["uptime", format.age(model.snapshot.uptime_seconds)] },
	{ id: "events", title: "Events",
		lines: (model, units) => [flow(model, units, "Processed", "events.processed")],
		chart: { keys: [["", "line-1", (model) => rateOf(model, "events.processed")]], ...RATES } },
	{ id: "latency", title: "Latency", line: 1, lines: latency,
		chart: { keys: [["p50", "line-1", quantile("p50")], ["p95", "line-2", quantile("p95")],
			["p99", "line-3", quantile("p99")]], format: (value) => format.time(value, "auto") } },
	{ id: "udp", title: "UDP listener",
		lines: (model, units) => {
			const received = flow(model, units, "Received", "udp.packet.received");
			const dropped = rare(amounts(model, model.total("counter", "udp.packet.dropped")), units,
				"Dropped");
			return received || dropped ? [received, dropped, loss(model)] : [];
		},
		chart: { keys: [["received", "line-1", (model) => rateOf(model, "udp.packet.received")],
			["dropped", "line-4", (model) => rateOf(model, "udp.packet.dropped")]], ...RATES } },
	{ id: "websocket", title: "WebSocket",
		lines: (model, units) => [clients(model, units),
			flow(model, units, "Broadcasts", "websocket.broadcast.success")],
		chart: { keys: [["broadcasts", "line-1",
			(model) => rateOf(model, "websocket.broadcast.success")]], ...RATES } },
	{ id: "cache", title: "Cache",
		lines: (model, units) => [gauge(model, units, "Hit rate", "cache.hit_rate", true)],
		chart: { keys: [["", "line-1", () => (interval) => interval.gauges["cache.hit_rate"]?.last]],
			format: format.percent } },
	{ id: "errors", title: "Errors", view: 2, lines: errors,
		chart: { keys: [["", "line-4", errorRate]], ...RATES } },
];

// --- tiles ----------------------------------------------------------------------------

class Tile {
	constructor(host, section) {
		this.section = section;
		this.title = el("h2", { id: `tile-${section.id}` }, section.title);
		this.number = el("span");
		this.what = el("small");
		// What the table says anyway need not be read twice.
		this.big = el("p", { class: "big", "aria-hidden": section.big ? null : "true" }, this.number,
			this.what);
		this.table = el("table", { class: section.id === "server" ? "facts" : "figures",
			"aria-labelledby": `tile-${section.id}` });
		this.rows = [];
		this.node = el("section", { class: "tile card", id: `section-${section.id}`,
			"aria-labelledby": `tile-${section.id}` },
		el("div", { class: "tile-head" }, this.title, this.big), this.table);
		host.append(this.node);
		if (section.chart)
			this.chart = new Chart(this.node, section.title, section.chart.keys.map(([label, key]) =>
				({ label, color: key })), section.chart.format, section.chart.mark);
	}

	// Rows are made anew only when there are others: an error that nobody had seen before.
	show(model, lines, heads) {
		const shape = lines.map((line) => line.label).join("\n");
		if (shape !== this.shape)
			this.build(lines);
		this.shape = shape;
		this.heads?.forEach((node, i) => write(node, heads[i]));
		lines.forEach((line, i) => {
			mark(this.rows[i].node, "class", line.style ?? "");
			line.cells.forEach((cell, v) => write(this.rows[i].cells[v], cell));
		});
		this.showBig(lines[Math.min(this.section.line ?? 0, lines.length - 1)], model);
	}

	showBig(line, model) {
		const [what, number] = this.section.big?.(model) ??
			[line.label.toLowerCase(), line.cells[this.section.view ?? 0]];
		write(this.number, number);
		write(this.what, what);
		mark(this.big, "class", this.section.big ? "big" : `big ${line.style ?? ""}`);
	}

	build(lines) {
		const views = lines[0].cells.length;
		this.heads = views > 1 ? VIEWS.map(() => el("th", { scope: "col" })) : null;
		this.rows = lines.map((line) => {
			const cells = line.cells.map(() => el("td"));
			return { cells, node: el("tr", {}, el("th", { scope: "row" }, line.label), ...cells) };
		});
		this.table.replaceChildren(
			...this.heads ? [el("thead", {}, el("tr", {}, el("td"), ...this.heads))] : [],
			el("tbody", {}, ...this.rows.map((row) => row.node)));
	}

	draw(model, seconds, end) {
		this.chart?.update(model.history.columns(seconds, end,
			...this.section.chart.keys.map(([, , pick]) => pick(model))), seconds, end);
	}
}

export class Dashboard {
	constructor(host) {
		this.host = host;
		this.tiles = new Map();
	}

	// What a segment does not have is left out; `server` alone is no dashboard.
	show(model, units) {
		const heads = [format.span(model.seconds), format.span(model.windowSeconds), "lifetime"];
		const ticks = [format.span(model.history.last?.seconds ?? NaN), ...heads.slice(1)];
		for (const section of SECTIONS) {
			const lines = section.lines(model, units).filter((line) => line);
			this.showTile(model, section, lines, section.id === "latency" ? ticks : heads);
		}
		this.host.hidden = false;
	}

	showTile(model, section, lines, heads) {
		let tile = this.tiles.get(section.id);
		if (lines.length === 0) {
			if (tile)
				tile.node.hidden = true;
			return;
		}
		if (!tile) {
			tile = new Tile(this.host, section);
			this.tiles.set(section.id, tile);
		}
		tile.node.hidden = false;
		tile.show(model, lines, heads);
	}

	draw(model, seconds, end) {
		for (const tile of this.tiles.values())
			tile.draw(model, seconds, end);
	}

	clear() {
		for (const tile of this.tiles.values())
			tile.chart?.destroy();
		this.tiles.clear();
		this.host.replaceChildren();
	}
}
