// SPDX-License-Identifier: MIT
// Light, dark, or as the system has it; what was chosen is kept in this browser.

const THEMES = ["system", "light", "dark"];
const NAMES = { system: "Auto", light: "Light", dark: "Dark" };
const probe = document.createElement("span");
const listeners = [];

// Storage may be forbidden; then the choice lasts as long as the page.
export function recall(name, otherwise) {
	try {
		return localStorage.getItem(`astshm.${name}`) ?? otherwise;
	} catch {
		return otherwise;
	}
}

export function keep(name, value) {
	try {
		localStorage.setItem(`astshm.${name}`, value);
	} catch {
		// not kept
	}
}

// What a custom property is as a colour now, for canvases.
export function color(name) {
	probe.style.color = `var(--${name})`;
	return getComputedStyle(probe).color;
}

export function onTheme(listener) {
	listeners.push(listener);
}

function apply(theme, button) {
	if (theme === "system")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	button.textContent = NAMES[theme];
	button.setAttribute("aria-label", `Colours: ${NAMES[theme]}`);
	for (const listener of listeners)
		listener();
}

export function startTheme(button) {
	let theme = recall("theme", "system");
	if (!THEMES.includes(theme))
		theme = "system";
	probe.hidden = true;
	document.body.append(probe);
	apply(theme, button);
	button.addEventListener("click", () => {
		theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
		keep("theme", theme);
		apply(theme, button);
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change",
		() => listeners.forEach((listener) => listener()));
}
