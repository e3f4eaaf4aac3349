// SPDX-License-Identifier: MIT
// The rows of a table that may be long. Of a long one those in view are there, some around
// them, and the one that the keyboard is at; gaps stand for the others.
import { el, mark } from "./dom.js";

export const MANY = 300; // more are a long table: a browser draws thousands of rows slowly
const AROUND = 10;
const FIRST_HEIGHT = 28; // pixels, until one was measured

export class Rows {
	// make(series) gives { id, button, node } and moved() is told that others are there.
	constructor(scroller, table, make, moved) {
		Object.assign(this, { scroller, table, make, moved, list: [], there: new Map(), at: 0 });
		this.body = el("tbody");
		this.gaps = [0, 1, 2].map(() => el("tr", { class: "gap", "aria-hidden": "true" },
			el("td", { colspan: "100" })));
		this.heights = new Map();
		table.append(this.body);
		scroller.addEventListener("scroll", () => this.isLong && this.place());
		new ResizeObserver(() => this.resize()).observe(scroller);
	}

	get isLong() {
		return this.list.length > MANY;
	}

	// All of them, in order.
	set(list) {
		this.list = list;
		this.scroller.classList.toggle("long", this.isLong);
		mark(this.table, "aria-rowcount", String(list.length + 1));
		this.stay();
		this.place();
	}

	// The keyboard stays at its row; if that has gone, at the place where it was.
	stay() {
		const at = this.list.findIndex(({ id }) => id === this.current);
		const lost = at < 0 && this.there.get(this.current)?.node.contains(document.activeElement);
		this.at = at < 0 ? Math.max(0, Math.min(this.at, this.list.length - 1)) : at;
		this.current = this.list[this.at]?.id;
		if (lost && this.current)
			this.focus();
	}

	// --- which are there ---------------------------------------------------------------

	height(series) {
		return this.heights.get(series.id) ?? this.usual;
	}

	// Where rows begin and end, [inclusive, exclusive), and what is first in view.
	inView() {
		const { list, scroller } = this;
		const end = scroller.scrollTop + Math.min(scroller.clientHeight, innerHeight);
		let first = 0, top = 0;
		while (first < list.length - 1 && top + this.height(list[first]) <= scroller.scrollTop)
			top += this.height(list[first++]);
		let last = first;
		for (let y = top; last < list.length && y < end; last++)
			y += this.height(list[last]);
		return { from: Math.max(0, first - AROUND), to: Math.min(list.length, last + AROUND),
			first, beyond: scroller.scrollTop - top };
	}

	// [from, to) pieces of the list, in order.
	pieces({ from, to }) {
		const alone = [this.at, this.at + 1];
		return this.at < from ? [alone, [from, to]] : this.at >= to ? [[from, to], alone] : [[from, to]];
	}

	top(index) {
		let sum = 0;
		for (let i = 0; i < index; i++)
			sum += this.height(this.list[i]);
		return sum;
	}

	place() {
		const view = this.isLong ? this.inView() : { from: 0, to: this.list.length };
		const pieces = this.list.length > 0 ? this.pieces(view) : [];
		const came = this.keep(pieces);
		this.arrange(pieces);
		if (this.isLong && this.measure()) {
			this.arrange(pieces);
			this.scrollTo(this.top(view.first) + view.beyond);
		}
		for (const [id, { button }] of this.there)
			mark(button, "tabindex", id === this.current ? "0" : "-1");
		if (came)
			this.moved();
	}

	// True: there are rows that were not there before.
	keep(pieces) {
		const wanted = pieces.flatMap(([from, to]) => this.list.slice(from, to));
		const ids = new Set(wanted.map(({ id }) => id));
		for (const [id, { node }] of this.there) {
			if (!ids.has(id)) {
				node.remove();
				this.there.delete(id);
			}
		}
		const come = wanted.filter(({ id }) => !this.there.has(id));
		for (const series of come)
			this.there.set(series.id, this.make(series));
		return come.length > 0;
	}

	// Rows that stay where they are keep the focus and what the reader is reading.
	arrange(pieces) {
		const nodes = [], gaps = [...this.gaps];
		let end = 0;
		for (const [from, to] of [...pieces, [this.list.length, this.list.length]]) {
			if (from > end)
				nodes.push(this.stretch(gaps.pop(), end, from));
			for (let i = from; i < to; i++) {
				const { node } = this.there.get(this.list[i].id);
				mark(node, "aria-rowindex", String(i + 2)); // the head is the first
				nodes.push(node);
			}
			end = to;
		}
		gaps.forEach((gap) => gap.remove());
		nodes.forEach((node, i) => this.put(node, i));
	}

	stretch(gap, from, to) {
		gap.firstChild.style.height = `${this.top(to) - this.top(from)}px`;
		return gap;
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

	// True: some height is another one than was thought.
	measure() {
		let news = false;
		for (const [id, { node }] of this.there) {
			const height = node.getBoundingClientRect().height;
			news ||= height > 0 && Math.abs(height - (this.heights.get(id) ?? this.usual)) > 0.5;
			if (height > 0)
				this.heights.set(id, height);
		}
		return news;
	}

	get usual() {
		return this.heights.values().next().value ?? FIRST_HEIGHT;
	}

	scrollTo(top) {
		if (Math.abs(top - this.scroller.scrollTop) >= 1)
			this.scroller.scrollTop = top;
	}

	// Names break elsewhere.
	resize() {
		if (this.width !== this.scroller.clientWidth)
			this.heights.clear();
		this.width = this.scroller.clientWidth;
		if (this.isLong)
			this.place();
	}

	// --- the keyboard ------------------------------------------------------------------

	// To the row at that place, or the one that it was at before. Twice, as the rows that
	// come into view may be higher than was thought.
	focus(at = this.at) {
		this.at = Math.max(0, Math.min(this.list.length - 1, at));
		this.current = this.list[this.at]?.id;
		for (let i = 0; i < 2; i++) {
			this.place();
			this.there.get(this.current)?.node.scrollIntoView({ block: "nearest" });
		}
		this.there.get(this.current)?.button.focus({ preventScroll: true });
		this.place();
	}

	// Somebody came there by other ways.
	enter(target) {
		const id = [...this.there].find(([, { button }]) => button === target)?.[0];
		if (!id || id === this.current)
			return;
		this.current = id;
		this.stay();
		this.place();
	}

	clear() {
		this.list = [];
		this.there.clear();
		this.heights.clear();
		this.body.replaceChildren();
		this.scroller.scrollTop = this.at = 0;
		this.current = undefined;
	}
}
