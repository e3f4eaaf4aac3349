#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes shm/buckets.c: the tables behind astshm_bucket_slot().

usage: bucket_table.py [FILE]       write FILE, or standard output
       bucket_table.py --check FILE exit 1 if FILE is not what would be written

Everything is computed with integers of arbitrary size, so no entry depends on
the rounding of a math library. doc/histogram.md derives the formula.
"""

import sys

SCALE = 6                        # 2**SCALE buckets an octave
PER_OCTAVE = 1 << SCALE
MANTISSA_BITS = 52
CELL_BITS = MANTISSA_BITS - (SCALE + 1)
CELLS = 1 << (SCALE + 1)
SLOT_SHIFT = MANTISSA_BITS - SCALE
EXPONENT_BIAS = 1023             # of an IEEE-754 double
NS_PER_SECOND = 10 ** 9


def integer_root(number, degree):
    """The largest r with r**degree <= number."""
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if middle ** degree <= number:
            low = middle
        else:
            high = middle
    return low


def scaled_root(unit, steps, bits):
    """floor(unit * 2**(steps / PER_OCTAVE) * 2**bits)."""
    return integer_root(unit ** PER_OCTAVE << (steps + PER_OCTAVE * bits), PER_OCTAVE)


def octave_boundaries(unit):
    """T of each bucket boundary unit * 2**(k/64) that falls into [1, 2) * 2**e.

    A value whose mantissa field is m lies above the boundary if m > T.
    """
    octave = unit.bit_length() - 1           # 2**octave <= unit < 2**(octave+1)
    one = 1 << MANTISSA_BITS
    boundaries = []
    for steps in range(-PER_OCTAVE, PER_OCTAVE):
        root = scaled_root(unit, steps, MANTISSA_BITS - octave)
        if one <= root < 2 * one:
            boundaries.append(root - one)
    assert len(boundaries) == PER_OCTAVE
    return boundaries


def table(unit):
    """What to add to the bits of a double, by the top 7 bits of its mantissa."""
    boundaries = octave_boundaries(unit)
    # The value 1 has exponent field 1023 and mantissa 0, and no boundary is
    # below mantissa 0: this offset makes its slot 1.
    offset = 1 - EXPONENT_BIAS * PER_OCTAVE
    entries = []
    for cell in range(CELLS):
        start = cell << CELL_BITS
        end = start + (1 << CELL_BITS)
        below = sum(1 for t in boundaries if t < start)
        inside = [t for t in boundaries if start <= t < end]
        assert len(inside) <= 1
        if inside:
            entry = ((below + 1) << SLOT_SHIFT) - inside[0] - 1
        else:
            entry = (below << SLOT_SHIFT) - start
        entries.append((entry + (offset << SLOT_SHIFT)) % (1 << 64))
    return entries


def octave_bound(step):
    """2**(step/64), rounded to the nearest double, as a C hexadecimal constant."""
    root = scaled_root(1, step, MANTISSA_BITS + 1)
    # One bit more than the mantissa holds; the root is irrational (or exactly
    # 1), so there is no tie and the last bit alone decides.
    mantissa = (root + 1) >> 1
    assert 1 << MANTISSA_BITS <= mantissa < 2 << MANTISSA_BITS
    return f"0x1.{mantissa - (1 << MANTISSA_BITS):013x}p+0"


def rows(values, width):
    for first in range(0, len(values), width):
        yield "\t" + " ".join(f"{value}," for value in values[first:first + width])


def constants(declaration, values, width):
    return [f"const {declaration}[{len(values)}] = {{", *rows(values, width), "};"]


def generate():
    def words(unit):
        return [f"0x{entry:016x}" for entry in table(unit)]
    lines = [
        "/* SPDX-License-Identifier: MIT */",
        "/* Written by shm/bucket_table.py: change that, not this. */",
        "#include <astshm/buckets.h>",
        "",
        "#include \"bounds.h\"",
        "",
        "/* Boundaries at 10^9 * 2^(k/64): nanoseconds, aligned to seconds. */",
        *constants("uint64_t astshm_timing_table", words(NS_PER_SECOND), 4),
        "",
        "/* Boundaries at 2^(k/64). */",
        *constants("uint64_t astshm_distribution_table", words(1), 4),
        "",
        "/* 2^(j/64), each the nearest double. */",
        *constants("double shm_octave_bounds",
                   [octave_bound(step) for step in range(PER_OCTAVE)], 4),
    ]
    return "\n".join(lines) + "\n"


def main(arguments):
    if arguments[:1] == ["--check"] and len(arguments) == 2:
        with open(arguments[1], encoding="utf-8") as file:
            if file.read() == generate():
                return 0
        print(f"{arguments[1]}: not what bucket_table.py writes", file=sys.stderr)
        return 1
    if len(arguments) > 1 or arguments[:1] == ["--check"]:
        print(__doc__, file=sys.stderr)
        return 2
    if arguments:
        with open(arguments[0], "w", encoding="utf-8") as file:
            file.write(generate())
    else:
        sys.stdout.write(generate())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
