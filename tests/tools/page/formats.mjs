// SPDX-License-Identifier: MIT
// Prints each "WORD UNITS VALUE" of stdin as the page shows it.
//
//     node formats.mjs FORMAT.JS
import { readFileSync } from "node:fs";

// Not a package of its own: node would take the file for a script.
const source = readFileSync(process.argv[2]).toString("base64");
const format = await import(`data:text/javascript;base64,${source}`);
const nanoseconds = ["time", "age", "span"];

for (const line of readFileSync(0, "utf8").trim().split("\n")) {
	const [word, units, text] = line.split(" ");
	const value = text === "nan" ? NaN : text.endsWith("inf") ? Number(text.replace("inf", "Infinity"))
		: Number(text);
	if (word === "moment")
		console.log(format.moment(1e9, 1e9 + value));
	else
		console.log(format[word](nanoseconds.includes(word) ? value / 1e9 : value, units));
}
