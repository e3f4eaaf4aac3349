// SPDX-License-Identifier: MIT
// What is asked for of a segment's past: of few series everything, of many only that of the
// dashboard and of what somebody sees.
import { ask, literally, pathOf } from "./client.js";
import { FAMILIES } from "./dashboard.js";
import { AHEAD_SECONDS } from "./history.js";
import { MANY } from "./rows.js";

const ALL_SECONDS = 600; // of all series; an hour of those on the dashboard
const HOUR = 3600;
const TREND_SECONDS = 120;
const TICK_SECONDS = 0.2; // that a server's tick may take
const GLOBS_MAX = 32;     // of a request, as metrics.h has it
const QUERY_MAX = 6000;   // bytes: there is room for 16 KiB with all headers

// As many globs at a time as a request has room for.
function* portions(globs) {
	let portion = [], length = 0;
	for (const glob of globs) {
		const more = encodeURIComponent(glob).length + "&metric=".length;
		if (portion.length === GLOBS_MAX || length + more > QUERY_MAX) {
			yield portion;
			portion = [];
			length = 0;
		}
		portion.push(glob);
		length += more;
	}
	yield portion;
}

function isOf(family, name) {
	return family.endsWith("*") ? name.startsWith(family.slice(0, -1)) : name === family;
}

export class Past {
	constructor(model) {
		this.model = model;
		this.turn = Promise.resolve();
		this.clear();
	}

	clear() {
		this.model.history.clear();
		this.model.history.period = 0;
		this.known = new Set(); // names that are here up to `upTo`, beside the dashboard's
		this.upTo = null;       // when the newest interval ended that was asked for of all
	}

	get isPartial() {
		return this.model.series.length > MANY;
	}

	// The series that are watched where somebody sees `names`.
	watched(names) {
		const { series } = this.model, seen = new Set(names);
		return this.isPartial ? series.filter(({ name }) => seen.has(name) ||
			FAMILIES.some((family) => isOf(family, name))) : series;
	}

	// Everything at first, then what a tick added, which true says.
	follow(isLive, names) {
		return this.inTurn(async () => {
			const { history, now } = this.model;
			history.forgetAfter(now);
			if (this.upTo > now + AHEAD_SECONDS)
				this.upTo = null; // of a clock that was set back
			if (this.upTo === null)
				await this.begin();
			else if (isLive && now - this.upTo > history.period + TICK_SECONDS)
				return this.goOn(now - this.upTo, names);
			return false;
		});
	}

	async begin() {
		this.known.clear();
		if (!this.isPartial)
			this.upTo = await this.load(ALL_SECONDS, []);
		if (this.isPartial || this.upTo !== null)
			this.upTo = await this.load(HOUR, FAMILIES) ?? this.upTo;
	}

	async goOn(age, names) {
		const known = names.filter((name) => this.known.has(name));
		const globs = this.isPartial ? [...FAMILIES, ...known.map(literally)] : [];
		const last = await this.load(age.toFixed(3), globs);
		this.known = new Set(known);
		this.upTo = last ?? this.upTo;
		return last !== null;
	}

	// These names came into view: true says that there is more of them now.
	see(names) {
		return this.inTurn(async () => {
			const missing = names.filter((name) => !this.known.has(name));
			if (!this.isPartial || missing.length === 0 || this.upTo === null)
				return false;
			await this.load(TREND_SECONDS, missing.map(literally));
			missing.forEach((name) => this.known.add(name));
			return true;
		});
	}

	// One after the other: each begins with what the one before came to.
	inTurn(work) {
		const turn = this.turn.then(work);
		this.turn = turn.catch(() => {});
		return turn;
	}

	// When the last interval of the first portion ended; null: there is none.
	async load(seconds, globs) {
		let end = null;
		for (const portion of portions(globs)) {
			const { document } = await ask(pathOf(this.model.name, "history.json", [["window", seconds],
				["last", 1], ...portion.map((glob) => ["metric", glob])]));
			if (document)
				this.model.takePast(document);
			if (document && end === null)
				end = Date.parse(document.intervals.at(-1)?.to) / 1000 || null;
		}
		return end;
	}
}
