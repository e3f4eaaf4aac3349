#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A thousand servers as one: what astshm-cat --merge makes of their snapshots is what one
server would have that had recorded every sample of all of them (instances.c)."""
import array
import functools
import math
import pathlib
import subprocess
import tempfile

import harness
from harness import PATIENCE, case, check, equal

ZONES = ("north", "south", "west")
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
# A bucket is 2^(1/64) wide: 1.089 %.
BOUND = 0.011


class Fleet:
    """The instances' snapshots, as paths, and every sample of theirs, sorted."""

    def __init__(self, program, count):
        self.temporary = tempfile.TemporaryDirectory(prefix="astshm-test-")
        folder = pathlib.Path(self.temporary.name)
        subprocess.run([program, folder, str(count), "1"], check=True, timeout=PATIENCE)
        self.paths = sorted(folder.glob("*.msgpack"))
        equal(len(self.paths), count, "snapshots")
        self.feed = folder / "all.feed"
        self.durations = {zone: samples(folder / f"durations.{zone}") for zone in ZONES}
        self.sizes = samples(folder / "sizes")


def samples(path):
    values = array.array("q")
    values.frombytes(path.read_bytes())
    return sorted(values)


@functools.cache
def made(program, count):
    return Fleet(program, count)


def fleet(t):
    """The same one for all cases."""
    return made(t.tools.instances, t.tools.instance_count)


def same_as_samples(series, values, scale, what):
    """`values` are integers, `scale` of them the document's unit."""
    equal(series["count"], len(values), f"count of {what}")
    buckets = series["buckets"]
    equal(buckets["sum"], sum(values), f"sum of {what}")
    equal((buckets["min"], buckets["max"]), (values[0], values[-1]), f"extremes of {what}")
    counted = sum(buckets["counts"]) + buckets["zero_count"] + buckets["overflow_count"]
    equal(counted, len(values), f"samples in buckets of {what}")
    for name, q in QUANTILES.items():
        exact = values[max(math.ceil(q * len(values)) - 1, 0)] / scale
        check(abs(series[name] - exact) <= BOUND * exact,
              f"{name} of {what}: {series[name]}, of all samples {exact}")


def merged(t, *arguments, **more):
    return t.cat("--merge", "-f", "json", "--buckets", *arguments, **more).json()


def same(a, b, what):
    """Tells what differs, not all that there is."""
    for kind, series in a.items():
        equal(sorted(series), sorted(b[kind]), f"{kind} of {what}")
        for key, values in series.items():
            differs = [field for field in values if values[field] != b[kind][key][field]]
            check(not differs, f"{what}: {key} has other {differs}")


def same_as_all(document, whole):
    """By zone, and over all of them."""
    timings = document["metrics"]["timings"]
    for zone, values in whole.durations.items():
        same_as_samples(timings[f"request.duration[zone={zone}]"], values, 1e9, zone)
    same_as_samples(document["metrics"]["distributions"]["size"], whole.sizes, 1, "sizes")
    counters = document["metrics"]["counters"]
    equal(counters["requests"]["value"], len(whole.sizes), "requests")


@case
def a_thousand_snapshots_merge_to_what_all_their_samples_are(t):
    whole = fleet(t)
    document = merged(t, *whole.paths)
    same_as_all(document, whole)
    count = len(whole.paths)
    equal(len(document["sources"]), count, "sources")
    equal(len({source["generation"] for source in document["sources"]}), count, "writers")
    gauges = document["metrics"]["gauges"]
    equal(gauges["connections"]["current"], sum(range(count)), "gauges that add up")
    equal(gauges["load"]["current"], (count - 1) / 8, "the largest of a gauge")


@case
def a_feed_of_a_thousand_writers_merges_to_the_newest_of_each(t):
    whole = fleet(t)
    document = merged(t, whole.feed)
    same_as_all(document, whole)
    grouped = merged(t, "-g", "", "-", stdin=whole.feed.read_bytes())
    everything = sorted(sum(whole.durations.values(), []))
    same_as_samples(grouped["metrics"]["timings"]["request.duration"], everything, 1e9, "all")


@case
def merging_in_steps_comes_to_the_same(t):
    paths = fleet(t).paths[:200]
    parts = []
    for i in range(0, len(paths), 20):
        parts.append(t.folder / f"part{i}")
        t.cat("--merge", "-f", "msgpack", "-o", parts[-1], *paths[i:i + 20])
    at_once, in_steps = merged(t, *paths), merged(t, *parts)
    same(at_once["metrics"], in_steps["metrics"], "the merged parts")
    equal(len(in_steps["sources"]), len(paths), "sources")
    backwards = merged(t, *reversed(paths))
    same(at_once["metrics"], backwards["metrics"], "the other way round")


if __name__ == "__main__":
    harness.main()
