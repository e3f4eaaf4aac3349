// SPDX-License-Identifier: MIT
// A Chromium for browser.py: takes a request a line, [method, ...arguments], on stdin and
// answers each with a line, {"value": ...} or {"error": ...}.
//
//     node browser.mjs NPM-FOLDER CHROMIUM
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";

const [npm, executablePath] = process.argv.slice(2);
const require = createRequire(`${npm}/`);
const { chromium } = require("playwright-core");
const patience = { timeout: 120000 };
const browser = await chromium.launch({
	executablePath, ...patience,
	// Chromium's own sandbox refuses to run as root; pages here are our own.
	args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"],
});
let context, page, seen;

function watch() {
	seen = { complaints: [], requests: [], pending: 0, bodies: {} };
	const mine = seen;
	page.on("request", () => mine.pending++);
	page.on("requestfinished", () => mine.pending--);
	page.on("requestfailed", () => mine.pending--);
	page.on("console", (message) => {
		if (message.type() === "error" || message.type() === "warning")
			seen.complaints.push(`${message.text()} (${message.location().url})`);
	});
	page.on("pageerror", (error) => seen.complaints.push(String(error.stack)));
	page.on("request", (request) => seen.requests.push(request.url()));
	page.on("response", async (response) => {
		const name = new URL(response.url()).pathname.split("/").pop();
		if (name.endsWith(".json"))
			seen.bodies[name] = await response.text().catch(() => undefined);
	});
}

function setBack(part, set, ms) {
	const end = part?.to ?? part?.timestamp;
	if (end === undefined || Date.parse(end) < set)
		return;
	for (const name of ["timestamp", "from", "to"].filter((name) => name in part))
		part[name] = new Date(Date.parse(part[name]) - ms).toISOString();
}

async function answer(route, set, ms) {
	const response = await route.fetch(), document = await response.json();
	for (const part of [document, document.window, ...document.intervals ?? []])
		setBack(part, set, ms);
	await route.fulfill({ status: response.status(), json: document });
}

const methods = {
	async open(url, { clock, ...options } = {}) {
		// Else what a route is about to answer fails as it goes, and node with it.
		await page?.unrouteAll({ behavior: "ignoreErrors" });
		await context?.close();
		context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
		await context.addInitScript(() => {
			window.violations = [];
			addEventListener("securitypolicyviolation", (event) =>
				window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
		});
		context.setDefaultTimeout(patience.timeout);
		page = await context.newPage();
		if (clock)
			await page.clock.install();
		watch();
		return (await page.goto(url)).status();
	},
	evaluate: (expression) => page.evaluate(expression),
	press: (key) => page.keyboard.press(key),
	type: (text) => page.keyboard.type(text),
	click: (selector) => page.click(selector),
	select: (selector, value) => page.selectOption(selector, value),
	hover: (selector, x, y) => page.hover(selector, { position: { x, y } }),
	resize: (width, height) => page.setViewportSize({ width, height }),
	media: (options) => page.emulateMedia(options),
	advance: (ms) => page.clock.runFor(ms),
	reload: async () => (await page.reload()).status(),
	shot: (path, fullPage) => page.screenshot({ path, fullPage }),
	seen: () => seen,
	// As if the server's clock were set back now: of what it tells of later times, they differ.
	async setBack(seconds) {
		const set = Date.now();
		await page.route(/\.json/, (route) => answer(route, set, seconds * 1000).catch(
			// Its exporter may end meanwhile, and so may the page.
			() => route.abort().catch(() => {})));
	},
	// What axe finds against WCAG 2.1 A and AA, as short texts.
	async axe() {
		await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
		const { violations } = await page.evaluate(() => axe.run(document, {
			runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
		return violations.map(({ id, nodes }) => `${id}: ` + nodes.slice(0, 3).map((node) =>
			`${node.html.slice(0, 160)} ${node.any.map((any) => any.message).join("; ")}`).join(" | "));
	},
};

console.log(JSON.stringify({ value: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
	const [method, ...rest] = JSON.parse(line);
	try {
		console.log(JSON.stringify({ value: await methods[method](...rest) ?? null }));
	} catch (error) {
		console.log(JSON.stringify({ error: `${method}: ${error.message}` }));
	}
}
await browser.close();
