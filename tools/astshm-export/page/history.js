// SPDX-License-Identifier: MIT
// What is known of the last hour: intervals of /history.json, gathered piece by piece.
// Some hold all series, older ones those alone that somebody looked at.

const KINDS = ["counters", "gauges", "timings", "distributions"];
const VALUES_MAX = 300000;
const FEWEST = 40;
export const AHEAD_SECONDS = 5; // that a tick may be ahead of the snapshot asked for before it

// Texts have nanoseconds, dates do not: the text tells entries apart.
function take(interval) {
	return { ...interval, key: interval.to, from: Date.parse(interval.from) / 1000,
		to: Date.parse(interval.to) / 1000 };
}

function overlaps(a, b) {
	return a.from < b.to - 0.001 && b.from < a.to - 0.001;
}

function size(interval) {
	return KINDS.reduce((sum, kind) => sum + Object.keys(interval[kind]).length, 0);
}

export class History {
	constructor() {
		this.intervals = [];
		this.period = 0;
	}

	clear() {
		this.intervals = [];
	}

	get last() {
		return this.intervals.at(-1);
	}

	// `now` is the server's.
	merge(document, now) {
		this.period = document.period_seconds;
		for (const interval of document.intervals.map(take))
			this.add(interval);
		this.intervals.sort((a, b) => a.to - b.to);
		this.forgetAfter(now);
		this.thin();
	}

	// The server joins intervals as they grow old; what was seen in detail stays.
	add(interval) {
		const same = this.intervals.find((known) => known.key === interval.key);
		if (same) {
			for (const kind of KINDS)
				Object.assign(same[kind], interval[kind]);
		} else if (!this.intervals.some((known) => overlaps(known, interval))) {
			this.intervals.push(interval);
		}
	}

	// Of before the server's clock was set back: what comes now would look older.
	forgetAfter(now) {
		if (this.last?.to > now + AHEAD_SECONDS)
			this.intervals = this.intervals.filter(({ to }) => to <= now + AHEAD_SECONDS);
	}

	append(interval) {
		this.intervals.push(interval);
		this.thin();
	}

	thin() {
		const most = Math.max(FEWEST, Math.floor(VALUES_MAX / Math.max(1, size(this.last ?? {
			counters: {}, gauges: {}, timings: {}, distributions: {} }))));
		if (this.intervals.length > most)
			this.intervals.splice(0, this.intervals.length - most);
	}

	// [times, values of pick 1, ...]; a gap is null, so that lines break there.
	columns(seconds, end, ...picks) {
		const times = [], columns = picks.map(() => []);
		let before = null;
		for (const interval of this.intervals) {
			if (interval.to < end - seconds)
				continue;
			const values = picks.map((pick) => pick(interval) ?? null);
			if (values.every((value) => value === null))
				continue;
			if (before !== null && interval.from - before > Math.max(1, this.period / 2)) {
				times.push((before + interval.from) / 2);
				columns.forEach((column) => column.push(null));
			}
			times.push(interval.to);
			columns.forEach((column, i) => column.push(values[i]));
			before = interval.to;
		}
		return [times, ...columns];
	}
}

// The one number of a series that shows how it went, as in astshm-top.
export function pointOf(interval, series) {
	const value = interval[series.group][series.key];
	if (!value)
		return null;
	return series.kind === "counter" ? value.rate : series.kind === "gauge" ? value.last : value.p95;
}
