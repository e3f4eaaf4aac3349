// SPDX-License-Identifier: MIT
// Asks the exporter. Paths are relative, so that the page works behind a proxy's prefix.

const PATIENCE_MS = 10000;

// Lets the browser answer its user in between.
function breathe() {
	return new Promise((resolve) => {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = () => {
			port1.close();
			resolve();
		};
		port2.postMessage(null);
	});
}

// A document, whatever its status: what an ended server left comes with 503.
export async function ask(path) {
	const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
	const isJson = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
	const text = await response.text();
	await breathe(); // a document of many series takes long to parse, and to look at
	const document = isJson ? JSON.parse(text) : null;
	await breathe();
	return { status: response.status, document, text: isJson ? "" : text.trim() };
}

function query(parameters) {
	const pairs = new URLSearchParams(parameters);
	return pairs.size > 0 ? `?${pairs}` : "";
}

export function pathOf(segment, document, parameters = []) {
	return `segments/${encodeURIComponent(segment)}/${document}${query(parameters)}`;
}

// A metric's name as a pattern that matches it alone.
export function literally(name) {
	return name.replace(/[\\*?[\]]/g, "\\$&");
}

// Calls look() over and over: `period` ms after it came back, later and later while it
// fails, and not at all while nobody sees the page.
export class Pulse {
	constructor(look, period, longest = 15000) {
		Object.assign(this, { look, period, longest, failures: 0, timer: 0, running: false });
		this.paused = false;
		document.addEventListener("visibilitychange", () => this.wake());
	}

	get stopped() {
		return this.paused || document.hidden;
	}

	wake() {
		clearTimeout(this.timer);
		if (!this.stopped && !this.running)
			this.beat();
	}

	async beat() {
		this.running = true;
		try {
			await this.look();
			this.failures = 0;
		} catch (error) {
			this.failures++;
			this.failed?.(error);
		}
		this.running = false;
		if (!this.stopped)
			this.timer = setTimeout(() => this.beat(), this.delay());
	}

	delay() {
		return Math.min(this.period * 2 ** Math.min(this.failures, 10), this.longest);
	}
}
