// SPDX-License-Identifier: MIT
// Looks at the exporter once a second and shows what it says.
import { ask, pathOf, Pulse } from "./client.js";
import { Dashboard } from "./dashboard.js";
import { Detail } from "./detail.js";
import { by, el, mark, write } from "./dom.js";
import * as format from "./format.js";
import { Heatmap } from "./heatmap.js";
import { Keys } from "./keys.js";
import { Model } from "./model.js";
import { SeriesTable } from "./table.js";
import { keep, onTheme, recall, startTheme } from "./theme.js";

const LOOK_MS = 1000;
const STATES_EVERY = 5;      // looks
const SPAN_SECONDS = 60;     // of a chart at least
const REST_MS = 150;         // without scrolling, until the past of what is in view is asked for
const NO_HISTORY_LOOKS = 30; // until a server without a history or window is asked for one again
const BEATS_MISSED = 3;      // before a living server is silent, as all tools count
const DOCUMENTS = ["metrics", "snapshot.json", "snapshot.msgpack", "summary.json", "history.json",
	"healthz"];
const HEATMAP_FIRST = "event.processing.duration";

// Anybody may write an address, also one that is no text.
function decoded(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return "";
	}
}

class App {
	constructor() {
		this.model = null;
		this.segments = [];
		this.looks = 0;
		this.state = "waiting";
		this.units = this.select("units", () => this.render());
		this.window = this.select("window", () => this.pulse.wake());
		this.range = this.select("range", () => this.draw());
		this.dashboard = new Dashboard(by("dashboard"));
		this.heatmap = new Heatmap({ host: by("heatmap-host"), readout: by("heatmap-readout"),
			text: by("heatmap-text"), title: by("heatmap-title") });
		this.table = new SeriesTable({ scroller: by("table-scroll"), table: by("table"),
			search: by("search"), count: by("series-count"), kindsHost: by("kinds") },
		(id) => this.openDetail(id), () => this.moved());
		this.detail = new Detail(by("detail"), by("detail-title"), by("detail-body"),
			() => this.table.focus());
		this.pulse = new Pulse(() => this.look(), LOOK_MS);
		this.pulse.failed = (error) => this.fail(error);
		by("heatmap-series").addEventListener("change", (event) =>
			this.heatmap.choose(this.model, this.model.byId.get(event.target.value)));
		by("chooser").addEventListener("change", (event) => {
			location.hash = `/${encodeURIComponent(event.target.value)}`;
		});
		addEventListener("hashchange", () => location.hash.startsWith("#/") &&
			this.switchTo(this.wanted()));
		by("pause").addEventListener("click", () => this.pause());
		onTheme(() => this.table.model && this.table.draw(this.table.model));
	}

	// A choice that this browser remembers.
	select(id, changed) {
		const node = by(id), kept = recall(id, node.value);
		if ([...node.options].some((option) => option.value === kept))
			node.value = kept;
		node.addEventListener("change", () => {
			keep(id, node.value);
			changed();
		});
		return node;
	}

	start() {
		this.pulse.wake();
		setInterval(() => this.tellAge(), 1000);
	}

	pause() {
		this.pulse.paused = !this.pulse.paused;
		mark(by("pause"), "aria-pressed", String(this.pulse.paused));
		write(by("pause"), this.pulse.paused ? "Go on" : "Pause");
		this.say(this.pulse.paused ? "Paused." : "Going on.");
		this.pulse.wake();
	}

	say(text) {
		write(by("status"), text);
	}

	// --- looking ---------------------------------------------------------------------

	// An ended server's values are asked for once: they will not change.
	async look() {
		if (this.looks++ % STATES_EVERY === 0 || !this.model || this.state !== "live")
			await this.lookAtStates();
		const unread = this.stateNow !== "missing" && this.model?.ended !== this.stateNow;
		if (this.model && (this.stateNow === "live" || unread))
			await this.lookAtValues();
		this.found();
	}

	get entry() {
		return this.segments.find((segment) => segment.name === this.model?.name);
	}

	get stateNow() {
		return this.entry?.state ?? "missing";
	}

	async lookAtStates() {
		const { document, status, text } = await ask("segments.json");
		if (!document)
			throw new Error(text || `status ${status}`);
		this.segments = document.segments;
		this.putChooser();
		if (!this.model || !this.entry)
			this.switchTo(this.wanted(), false);
	}

	wanted() {
		const name = decoded(location.hash.slice(2)); // of #/NAME
		const live = this.segments.find((segment) => segment.state === "live");
		return this.segments.some((segment) => segment.name === name) ? name
			: (live ?? this.segments[0])?.name;
	}

	switchTo(name, now = true) {
		if (!name || name === this.model?.name)
			return;
		this.model = new Model(name);
		this.state = "waiting";
		this.dashboard.clear();
		this.table.clear();
		by("chooser").value = name;
		if (now)
			this.pulse.wake();
	}

	async lookAtValues() {
		const { model } = this;
		const window = model.hasNoWindow > this.looks ? [] : [["window", this.window.value]];
		const answer = await ask(pathOf(model.name, "snapshot.json", [...window, ["last", 1]]));
		if (model !== this.model)
			return;
		if (!answer.document) {
			await this.refused(answer);
			return;
		}
		if (model.take(answer.document))
			this.restarted();
		if (window.length > 0 && !answer.document.window)
			model.hasNoWindow = this.looks + NO_HISTORY_LOOKS;
		this.setState(answer.document.segment.state);
		model.ended = this.state === "live" ? null : this.state;
		await this.lookAtPast();
		await this.lookAtLatency();
		if (this.detail.isOpen)
			await this.detail.follow(model, this.window.value);
	}

	// 404: of a pattern, and gone.
	async refused({ status, text }) {
		if (status !== 503 && status !== 404)
			throw new Error(text || `status ${status}`);
		await this.lookAtStates();
		this.setState(this.stateNow);
		this.reason = text;
	}

	restarted() {
		this.model.past.clear();
		this.model.keepsNoHistory = this.model.hasNoWindow = 0;
		this.heatmap.choose(null, null);
		this.say("The server has started again, or was reset.");
	}

	// A writer without a history is asked for one again now and then.
	async lookAtPast() {
		const { model } = this, names = this.namesInView;
		if (model.keepsNoHistory > this.looks) {
			model.observe(model.past.watched(names));
			return;
		}
		if (await model.past.follow(this.state === "live", names))
			await this.heatmap.follow();
		if (model.history.period === 0)
			model.keepsNoHistory = this.looks + NO_HISTORY_LOOKS;
		await this.lookAtTrends();
	}

	get namesInView() {
		return this.table.model === this.model ? this.table.names : [];
	}

	// Other series are in view: their past is asked for when the scrolling rests.
	moved() {
		clearTimeout(this.resting);
		this.resting = setTimeout(() => this.lookAtTrends().catch(() => {}), REST_MS); // else the next tick
	}

	async lookAtTrends() {
		const { model } = this;
		if (model?.snapshot && !(model.keepsNoHistory > this.looks) && !this.pulse.stopped &&
			await model.past.see(this.namesInView) && model === this.model)
			this.table.draw(model);
	}

	// Where the latency has tags alone, the server adds up, since we have no buckets.
	async lookAtLatency() {
		const { model } = this;
		if (this.state !== "live" || model.find("timing", HEATMAP_FIRST) ||
			model.named("timing", HEATMAP_FIRST).length === 0)
			return;
		const seconds = (summary) => Object.fromEntries(Object.entries(
			summary?.event_processing?.latency_ms ?? {}).map(([name, ms]) => [name,
			ms === null ? null : ms / 1000]));
		const life = await ask(pathOf(model.name, "summary.json"));
		const window = model.windowSeconds > 0 ? await ask(pathOf(model.name, "summary.json",
			[["window", this.window.value], ["last", 1]])) : {};
		model.latency = { life: seconds(life.document), window: seconds(window.document) };
	}

	// --- what becomes of the server ------------------------------------------------------

	setState(state) {
		if (state === this.state)
			return;
		this.say({ live: `${this.model.name} is live.`, dead: `${this.model.name} is dead.`,
			closed: `${this.model.name} has ended.` }[state] ?? `${this.model.name}: ${state}.`);
		this.state = state;
	}

	found() {
		if (this.lost)
			this.say("The exporter answers again.");
		this.lost = null;
		if (this.model && this.state !== "live" && this.stateNow !== "live")
			this.setState(this.stateNow);
		this.render();
	}

	fail(error) {
		if (!this.lost)
			this.say("The exporter does not answer.");
		this.lost = { since: this.lost?.since ?? Date.now(), error };
		this.renderState();
	}

	// --- showing -----------------------------------------------------------------------

	render() {
		const { model } = this, shown = Boolean(model?.snapshot);
		by("waiting").hidden = shown;
		by("series").hidden = by("dashboard").hidden = !shown;
		this.renderState();
		if (!shown)
			return;
		const units = this.units.value;
		this.dashboard.show(model, units);
		this.table.show(model, units);
		this.putHeatmapChoice();
		if (this.detail.isOpen)
			this.detail.show(model, units);
		if (this.drawn !== this.past)
			this.draw();
	}

	// What charts are of: without anything new they are left alone, canvases being dear.
	get past() {
		const { history, name } = this.model;
		return [name, history.last?.key, history.intervals.length, this.state].join(" ");
	}

	draw(trends = true) {
		const { model } = this;
		if (!model?.snapshot)
			return;
		this.drawn = this.past;
		const end = this.end(), seconds = this.span(end);
		this.dashboard.draw(model, seconds, end);
		if (this.detail.isOpen)
			this.detail.draw(model, seconds, end);
		if (trends)
			this.table.draw(model);
	}

	// A young server's minutes are not squeezed into the corner of an hour.
	span(end) {
		const first = this.model.history.intervals[0]?.from ?? end;
		return Math.min(Number(this.range.value), Math.max(SPAN_SECONDS, end - first));
	}

	end() {
		const { segment, timestamp } = this.model.snapshot;
		const silent = this.state === "live" ? 0 : segment.heartbeat_age_seconds ?? 0;
		return Date.parse(timestamp) / 1000 - silent;
	}

	renderState() {
		const { model, lost } = this;
		const age = model?.snapshot?.segment.heartbeat_age_seconds;
		const period = this.entry?.heartbeat_period_seconds; // 0: nobody beats
		const stale = this.state === "live" && period > 0 && age > BEATS_MISSED * period;
		const state = lost ? "lost" : stale ? "stale" : this.state;
		mark(by("badge"), "data-state", state);
		write(by("badge"), { lost: "no answer", stale: "silent" }[state] ?? state);
		document.documentElement.classList.toggle("past", state !== "live" && state !== "stale");
		document.title = model ? `${model.name} ${state} – astshm` : "astshm";
		this.tellAge();
	}

	// Counts on between the looks, and while nobody answers.
	tellAge() {
		const text = this.complaint();
		by("banner").hidden = text === "";
		write(by("banner"), text);
		mark(by("banner"), "data-state", by("badge").dataset.state);
	}

	complaint() {
		const since = (ms) => `${format.clock(new Date(ms))}, ${format.age((Date.now() - ms) / 1000)} ago`;
		const values = this.model?.snapshot ? " These are its last values." : "";
		if (this.lost)
			return `The exporter does not answer since ${since(this.lost.since)} ` +
				`(${this.lost.error.message}).` + (values ? " These are the last values seen." : "");
		if (!this.model)
			return this.looks > 0 ? "There is no segment." : "";
		const { entry } = this, heard = entry?.heartbeat_age_seconds;
		const last = Number.isFinite(heard) ?
			` Last heard of at ${since(Date.now() - heard * 1000)}.` : "";
		switch (by("badge").dataset.state) {
		case "dead": return `The server (process ${entry?.pid ?? "?"}) is dead.${last}${values}`;
		case "closed": return `The server (process ${entry?.pid ?? "?"}) has ended.${last}${values}`;
		case "missing": return `There is no segment of that name now.${values}`;
		case "stale": return "The server lives, but was last heard of " +
			`${format.age(this.model.snapshot.segment.heartbeat_age_seconds)} ago.`;
		default: return "";
		}
	}

	putChooser() {
		const names = this.segments.map(({ name }) => name);
		const several = names.length > 1;
		by("chooser-label").hidden = !several;
		write(by("segment-name"), several ? "" : names[0] ?? "");
		const texts = this.segments.map(({ name, state }) => state === "live" ? name : `${name} (${state})`);
		const chooser = by("chooser");
		if (chooser.options.length !== names.length || names.some((name, i) =>
			chooser.options[i].value !== name))
			chooser.replaceChildren(...names.map((name) => el("option", { value: name })));
		texts.forEach((text, i) => write(chooser.options[i], text));
		if (this.model)
			chooser.value = this.model.name;
		this.putDocuments();
	}

	putDocuments() {
		const base = this.segments.length > 1 && this.model ? pathOf(this.model.name, "") : "";
		if (this.documentsOf === base)
			return;
		this.documentsOf = base;
		by("documents").replaceChildren(...DOCUMENTS.map((name) =>
			el("li", {}, el("a", { href: base + name }, name))));
	}

	putHeatmapChoice() {
		const select = by("heatmap-series");
		if (this.heatmapsOf !== this.model.series)
			this.offerHeatmaps(select);
		this.heatmapsOf = this.model.series;
		by("heatmap").hidden = select.options.length === 0 || !this.model.history.last ||
			this.model.observed;
		if (!by("heatmap").hidden)
			this.heatmap.choose(this.model, this.model.byId.get(select.value));
	}

	offerHeatmaps(select) {
		const series = this.model.series.filter(({ kind }) => kind === "timing" || kind === "distribution");
		const chosen = series.find(({ id }) => id === select.value) ?? this.firstHeatmap(series);
		select.replaceChildren(...series.map(({ id, key }) => el("option", { value: id }, key)));
		select.value = chosen?.id ?? "";
	}

	// What matters most if it is there, else what has most samples.
	firstHeatmap(series) {
		const most = (a, b) => this.model.life(b).count > this.model.life(a).count ? b : a;
		return series.find(({ id }) => id === `timing ${HEATMAP_FIRST}`) ??
			(series.length > 0 ? series.reduce(most) : undefined);
	}

	openDetail(id) {
		this.detail.open(this.model, this.model.byId.get(id));
		this.detail.show(this.model, this.units.value);
		this.draw(false);
		this.detail.follow(this.model, this.window.value).catch(() => {}); // the next look tries again
	}
}

const app = new App();
startTheme(by("theme"));
new Keys(app);
app.start();
