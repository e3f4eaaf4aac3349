// SPDX-License-Identifier: MIT
// How people read numbers: the rules of astshm-top (tools/astshm-top/format.c).

export const UNITS = ["auto", "milli", "base"];

const THOUSANDS = ["", "k", "M", "G", "T", "P", "E"];
const TIMES = [" ns", " µs", " ms", " s"];
const BYTES = [" B", " KiB", " MiB", " GiB", " TiB", " PiB"];
const MOMENT_S = 1e9; // in 2001: nothing lasts for 31 years
const NONE = "–";

function odd(value) {
	if (value === null || value === undefined || Number.isNaN(value))
		return NONE;
	return value > 0 ? "+Inf" : "-Inf";
}

function isOdd(value) {
	return !Number.isFinite(value);
}

// 1.23, 12.3, 123
function three(value) {
	return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

function scaled(value, step, suffixes) {
	let rest = Math.abs(value), i = 0;
	for (; rest >= step - 0.5 && i < suffixes.length - 1; i++)
		rest /= step;
	return (value < 0 ? "-" : "") + three(rest) + suffixes[i];
}

// As %g of C.
function general(value, digits) {
	const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
	if (exponent < -4 || exponent >= digits)
		return Number(value.toPrecision(digits)).toExponential();
	return String(Number(value.toPrecision(digits)));
}

export function count(value, units) {
	if (isOdd(value))
		return odd(value);
	if (Math.abs(value) >= 1e7 && units !== "base")
		return scaled(value, 1000, THOUSANDS);
	if (Number.isInteger(value) && Math.abs(value) < 1e18)
		return String(value);
	return general(value, units === "base" ? 10 : 5);
}

export function rate(value, units) {
	if (isOdd(value))
		return odd(value);
	const size = Math.abs(value);
	if (value !== 0 && size < 0.01)
		return general(value, 1);
	if (size >= 1e5 && units !== "base")
		return scaled(value, 1000, THOUSANDS);
	if (size < 1000)
		return value.toFixed(size < 10 ? 2 : 1);
	return count(Math.round(value), units);
}

// A mark at an axis, where numbers are round.
export function mark(value) {
	return Math.abs(value) >= 1e5 ? scaled(value, 1000, THOUSANDS) : general(value, 4);
}

export function perSecond(value, units) {
	return isOdd(value) ? odd(value) : rate(value, units) + "/s";
}

// Rounded to what is recorded, since seconds as doubles are a little off.
export function time(seconds, units) {
	if (isOdd(seconds))
		return odd(seconds);
	const ns = Math.round(seconds * 1e12) / 1e3;
	if (units === "base")
		return ns.toFixed(0) + " ns";
	if (units === "milli")
		return (ns / 1e6).toFixed(3) + " ms";
	if (Math.abs(ns) < 1000 && Number.isInteger(ns))
		return ns + " ns";
	return scaled(ns, 1000, TIMES);
}

export function bytes(value) {
	if (isOdd(value))
		return odd(value);
	if (Math.abs(value) < 1024 && Number.isInteger(value))
		return value + " B";
	return scaled(value, 1024, BYTES);
}

export function percent(fraction) {
	return isOdd(fraction) ? odd(fraction)
		: (fraction * 100).toFixed(Math.abs(fraction) < 0.1 ? 2 : 1) + " %";
}

// In seconds since 1970.
export function moment(value, now = Date.now() / 1e3) {
	const far = Math.abs(now - value);
	const [unit, name] = far < 120 ? [1, "s"] : far < 7200 ? [60, "min"]
		: far < 172800 ? [3600, "h"] : [86400, "d"];
	const text = `${Math.floor(far / unit)} ${name}`;
	return value > now ? `in ${text}` : `${text} ago`;
}

// A value of a series: its family says what it is of.
export function amount(value, family, units) {
	const inSeconds = family.unit === "seconds";
	if (family.kind === "gauge" && inSeconds && units !== "base" && !isOdd(value))
		return value >= MOMENT_S ? moment(value) : time(value, units);
	if (family.kind === "timing" || (family.kind === "counter" && inSeconds))
		return time(value, units);
	if (family.unit === "bytes" && units !== "base")
		return bytes(value);
	return count(value, units);
}

export function increase(value, family, units) {
	return (value >= 0 ? "+" : "") + amount(value, family, units);
}

function two(value) {
	return String(value).padStart(2, "0");
}

export function age(seconds) {
	const s = Math.floor(seconds);
	if (isOdd(s))
		return odd(s);
	if (s < 60)
		return `${s} s`;
	if (s < 3600)
		return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
	if (s < 86400)
		return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
	return `${Math.floor(s / 86400)} d ${two(Math.floor(s / 3600) % 24)} h`;
}

export function span(seconds) {
	if (isOdd(seconds))
		return odd(seconds);
	if (seconds < 0.0995)
		return `${Math.round(seconds * 1000)} ms`;
	if (seconds < 9.95)
		return `${Math.round(seconds * 10) / 10} s`;
	return seconds < 99.5 ? `${Math.round(seconds)} s` : age(seconds);
}

export function clock(date, withSeconds = true) {
	const text = `${two(date.getHours())}:${two(date.getMinutes())}`;
	return withSeconds ? `${text}:${two(date.getSeconds())}` : text;
}
