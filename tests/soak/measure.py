# SPDX-License-Identifier: MIT
"""What a server holds while it rests, and whether that grows from one rest to the next."""
import collections
import pathlib
import re

Rest = collections.namedtuple("Rest", "seconds memory descriptors threads segment")

FEWEST = 5  # rests that make a line
# The history is full after a few seconds; its entries may still take some chunks more
# as buckets fill, for which the file grows by an eighth.
SEGMENT_STEP = 160 << 10


def anonymous_bytes(process):
    """Heap and stacks: neither the programs' files nor the segment."""
    text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
    return int(re.search(r"^Anonymous:\s+(\d+) kB", text, re.M)[1]) << 10


def count(process, what):
    return sum(1 for _ in pathlib.Path(f"/proc/{process}/{what}").iterdir())


def rest(process, seconds, segment_bytes=0):
    return Rest(seconds, anonymous_bytes(process), count(process, "fd"), count(process, "task"),
                segment_bytes)


def slope(points):
    """Of the line of least squares through (x, y)."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return (sum((x - mean_x) * (y - mean_y) for x, y in points) /
            sum((x - mean_x) ** 2 for x, _ in points))


def median(values):
    return sorted(values)[len(values) // 2]


def growth(rests):
    """Of the memory over all of them, by their line."""
    if len(rests) < 2:
        return 0
    points = [(one.seconds, one.memory) for one in rests]
    return slope(points) * (rests[-1].seconds - rests[0].seconds)


def check_flat(rests, memory_bytes):
    """`rests` are those after the warm-up; memory may grow by so much from first to last."""
    for what in ("descriptors", "threads"):
        seen = {getattr(one, what) for one in rests}
        assert len(seen) == 1, (what, [getattr(one, what) for one in rests])
    sizes = [one.segment for one in rests]
    assert sizes[-1] - sizes[0] <= SEGMENT_STEP and max(sizes) == sizes[-1], sizes
    if len(rests) >= FEWEST:
        third = len(rests) // 3
        early, late = (median([one.memory for one in part])
                       for part in (rests[:third], rests[-third:]))
        assert growth(rests) <= memory_bytes and late - early <= memory_bytes, \
            [one.memory >> 10 for one in rests]
