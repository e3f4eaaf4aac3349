// SPDX-License-Identifier: MIT
// Single keys, as astshm-top has them; whoever dictates to a browser can switch them off.
import { by } from "./dom.js";
import { keep, recall } from "./theme.js";

function isText(node) {
	return node.matches("input:not([type=checkbox], [type=radio]), textarea, select");
}

function next(select) {
	select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
	select.dispatchEvent(new Event("change"));
}

export class Keys {
	constructor(app) {
		this.app = app;
		this.on = by("keys-on");
		this.on.checked = recall("keys", "on") === "on";
		this.on.addEventListener("change", () => keep("keys", this.on.checked ? "on" : "off"));
		by("help-open").addEventListener("click", () => by("help").showModal());
		for (const button of document.querySelectorAll("[data-close]"))
			button.addEventListener("click", () => button.closest("dialog").close());
		by("search").addEventListener("keydown", (event) => this.inSearch(event));
		addEventListener("keydown", (event) => this.anywhere(event));
	}

	inSearch(event) {
		const search = by("search");
		if (event.key === "Escape") {
			search.value = "";
			search.dispatchEvent(new Event("input"));
			search.blur();
		} else if (event.key === "ArrowDown" || event.key === "Enter") {
			event.preventDefault();
			this.app.table.focus();
		}
	}

	anywhere(event) {
		if (!this.on.checked || event.ctrlKey || event.altKey || event.metaKey || isText(event.target))
			return;
		const actions = {
			"/": () => by("search").focus(),
			"?": () => by("help").showModal(),
			p: () => this.app.pause(),
			w: () => next(by("window")),
			u: () => next(by("units")),
			t: () => by("theme").click(),
		};
		if (!(event.key in actions) || document.querySelector("dialog[open]"))
			return;
		event.preventDefault();
		actions[event.key]();
	}
}
