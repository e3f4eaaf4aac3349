# SPDX-License-Identifier: MIT
"""What a server holds while it rests, and whether that grows from one rest to the next."""
import collections
import pathlib
import re
import time

Rest = collections.namedtuple("Rest", "seconds memory descriptors threads segment")

FEWEST = 5  # rests that make a line
LOOKS = 4
PATIENCE = 60
PAGE = 4096
GROWTH_BYTES = 64 << 10  # at least, see shm/grow.c


def one_step_more(size):
    """What a segment of that size grows to."""
    return -(-(size + max(size // 8, GROWTH_BYTES)) // PAGE) * PAGE


def anonymous_bytes(process):
    """Heap and stacks: neither the programs' files nor the segment."""
    text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8")
    return int(re.search(r"^Anonymous:\s+(\d+) kB", text, re.M)[1]) << 10


def count(process, what):
    return sum(1 for _ in pathlib.Path(f"/proc/{process}/{what}").iterdir())


def rest(process, seconds, segment_bytes=0, descriptors=None):
    """The least of some looks: a reader may be at its document, and once a second the server
    itself has /proc open for a moment, or for longer if it loses its processor then. Where
    more than `descriptors` are open it looks on, at most for PATIENCE."""
    looks = []
    end = time.monotonic() + PATIENCE
    while len(looks) < LOOKS or (descriptors is not None and time.monotonic() < end and
                                 min(looks)[0] > descriptors):
        looks.append((count(process, "fd"), anonymous_bytes(process)))
        time.sleep(0.03)
    descriptors, memory = (min(each) for each in zip(*looks))
    return Rest(seconds, memory, descriptors, count(process, "task"), segment_bytes)


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


def floor_growth(rests):
    """How much higher the lowest of the later half lies than the middle of the earlier one:
    what is there, or not yet there, for one rest alone moves neither, and what is never
    given back does."""
    memory = [one.memory for one in rests]
    half = len(memory) // 2
    return min(memory[half:]) - median(memory[:half])


def check_flat(rests, memory_bytes, many=FEWEST):
    """`rests` are those after the warm-up; memory may grow by so much from first to last,
    by the line through `many`, by their floor if they are fewer. In the history's ring an
    entry may take a chunk more as buckets fill: one step of the file."""
    for what in ("descriptors", "threads"):
        seen = {getattr(one, what) for one in rests}
        assert len(seen) == 1, (what, [getattr(one, what) for one in rests])
    sizes = [one.segment for one in rests]
    assert sizes == sorted(sizes) and sizes[-1] <= one_step_more(sizes[0]), sizes
    memory = [one.memory >> 10 for one in rests]
    if len(rests) >= many:
        third = len(rests) // 3
        early, late = (median([one.memory for one in part])
                       for part in (rests[:third], rests[-third:]))
        assert growth(rests) <= memory_bytes and late - early <= memory_bytes, memory
    elif len(rests) >= FEWEST:
        assert floor_growth(rests) <= memory_bytes, memory
