// SPDX-License-Identifier: MIT
// Exponential buckets (doc/histogram.md): bucket i holds (2^(i/64), 2^((i+1)/64)], in
// seconds for timings, else in the unit; put together to as many as fit.

const PER_OCTAVE = 64;

export function bound(index) {
	return 2 ** (index / PER_OCTAVE);
}

// First and last index that has samples; null: none has.
export function extent(list) {
	let first = Infinity, last = -Infinity;
	for (const { offset, counts } of list) {
		if (counts.length > 0) {
			first = Math.min(first, offset);
			last = Math.max(last, offset + counts.length - 1);
		}
	}
	return first <= last ? { first, last } : null;
}

// The finest rows, each of `step` buckets and at a multiple of it, that are at most `most`.
export function rowsOf({ first, last }, most) {
	let step = 1;
	while (Math.floor(last / step) - Math.floor(first / step) + 1 > most)
		step *= 2;
	return { step, first: Math.floor(first / step),
		count: Math.floor(last / step) - Math.floor(first / step) + 1 };
}

export function fill({ step, first, count }, { offset, counts }) {
	const sums = new Array(count).fill(0);
	counts.forEach((n, i) => {
		sums[Math.floor((offset + i) / step) - first] += n;
	});
	return sums;
}

export function lower({ step, first }, row) {
	return bound((first + row) * step);
}

// Where a value lies, with the part of its row that is below it.
export function rowOf({ step, first }, value) {
	return Math.log2(value) * PER_OCTAVE / step - first;
}

export function upper(rows, row) {
	return lower(rows, row + 1);
}
