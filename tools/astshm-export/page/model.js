// SPDX-License-Identifier: MIT
// One segment as it is now, as it was a look ago, and its recent past.
import { History } from "./history.js";
import { Past } from "./past.js";

export const GROUPS = { counter: "counters", gauge: "gauges", timing: "timings",
	distribution: "distributions" };

function familyOf(snapshot, name, kind) {
	const first = snapshot.families[name] ?? { kind, unit: "", help: "" };
	return first.kind === kind ? first : first.also?.find((other) => other.kind === kind) ?? first;
}

function seriesOf(kind, group, key, value) {
	return { id: `${kind} ${key}`, kind, group, key, name: value.name ?? key, tags: value.tags ?? {},
		family: null };
}

// All of them; the objects of the look before where they are the same series still, and
// the very array where all are.
function listOf(snapshot, before) {
	const list = [];
	let same = true;
	for (const [kind, group] of Object.entries(GROUPS)) {
		const values = snapshot.metrics[group];
		for (const key of Object.keys(values)) {
			const known = before[list.length], stays = known?.key === key && known.kind === kind;
			same &&= stays;
			list.push(stays ? known : seriesOf(kind, group, key, values[key]));
		}
	}
	return same && list.length === before.length ? before : list;
}

function identity(snapshot) {
	const { generation, epoch, counters_epoch: counters } = snapshot.segment;
	return `${generation} ${epoch} ${counters}`;
}

export class Model {
	constructor(name) {
		this.name = name;
		this.snapshot = this.before = null;
		this.series = [];
		this.byId = new Map();
		this.byName = new Map();
		this.history = new History();
		this.past = new Past(this);
		this.observed = false;
		this.latency = null; // of /summary.json, where it takes adding up
	}

	// Says whether this is another life than that of the look before.
	take(snapshot) {
		const restarted = this.snapshot && identity(snapshot) !== identity(this.snapshot);
		this.before = restarted ? null : this.snapshot;
		this.snapshot = snapshot;
		const list = listOf(snapshot, this.series);
		if (list !== this.series)
			this.index(list);
		for (const series of list)
			series.family = familyOf(snapshot, series.name, series.kind);
		return restarted;
	}

	index(list) {
		this.series = list;
		this.byId = new Map(list.map((series) => [series.id, series]));
		this.byName = new Map();
		for (const series of list) {
			const name = `${series.kind} ${series.name}`, known = this.byName.get(name);
			if (known)
				known.push(series);
			else
				this.byName.set(name, [series]);
		}
	}

	takePast(document) {
		if (!(document.period_seconds > 0))
			return; // no history is kept
		if (this.observed)
			this.history.clear();
		this.observed = false;
		this.history.merge(document, this.now);
	}

	// Without a history there is what was seen here, of those series.
	observe(list) {
		this.observed = true;
		const to = this.now;
		if (Number.isNaN(this.seconds))
			return;
		const interval = { key: this.snapshot.timestamp, to, from: to - this.seconds,
			seconds: this.seconds, counters: {}, gauges: {}, timings: {}, distributions: {} };
		for (const series of list) {
			if (series.kind === "gauge")
				interval.gauges[series.key] = { last: this.life(series).current };
			else
				interval[series.group][series.key] = { rate: this.rate(series), p95: null };
		}
		this.history.append(interval);
	}

	// By the server's clock, which may be set.
	get now() {
		return Date.parse(this.snapshot.timestamp) / 1000;
	}

	// The uptime of a server that died ends before it was looked at last.
	get seconds() {
		const seconds = this.before ? this.snapshot.uptime_seconds - this.before.uptime_seconds : NaN;
		return seconds > 0 ? seconds : NaN;
	}

	get windowSeconds() {
		return this.snapshot?.window?.seconds ?? NaN;
	}

	life(series) {
		return this.snapshot.metrics[series.group][series.key];
	}

	window(series) {
		return this.snapshot.window?.[series.group][series.key];
	}

	// What a counter, or the count of a histogram, rose by since the look before.
	risen(series) {
		const field = series.kind === "counter" ? "value" : "count";
		const old = this.before?.metrics[series.group][series.key];
		if (series.kind === "gauge" || Number.isNaN(this.seconds))
			return NaN;
		return this.life(series)[field] - (old?.[field] ?? 0);
	}

	rate(series) {
		return this.risen(series) / this.seconds;
	}

	find(kind, name) {
		return this.byId.get(`${kind} ${name}`);
	}

	named(kind, name) {
		return this.byName.get(`${kind} ${name}`) ?? [];
	}

	// The series without tags holds the total where there is one.
	total(kind, name) {
		const whole = this.find(kind, name);
		return whole ? [whole] : this.named(kind, name);
	}
}
