#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Damaged segments on disk, served by astshm-export.

usage: test_export.py --driver EXE --vandal EXE --count N (options of tests/tools)

Each request is answered within its deadline (exporter.py), with a document or one line
that says why not, and the process ends as it was told to. One process serves many files;
half of these are under a writer's lock, since no other is answered with values.
"""
import collections
import contextlib
import subprocess

import harness
import test_tools
from exporter import Exporter
from harness import case, check, equal, wait_until

FILES_AT_ONCE = 20
PASSES = 20
OPENMETRICS = "application/openmetrics-text"
PROTOBUF = ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
            "encoding=delimited")
ANYTHING = "*/*"
UNHURRIED = ("--max-rate", "1000000")


def is_openmetrics(out):
    check(out.endswith(b"# EOF\n"), "no end")
    test_tools.is_exposition(out)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def is_delimited(out):
    """Families, each behind its length: tests/tools reads what is in them."""
    at = 0
    while at < len(out):
        length, at = varint(out, at)
        at += length
    equal(at, len(out), "end of the last family")


# What is asked for, and what an answer with status 200 must be.
REQUESTS = [
    ("metrics", ANYTHING, test_tools.is_exposition),
    ("metrics", OPENMETRICS, is_openmetrics),
    ("metrics", PROTOBUF, is_delimited),
    ("metrics?window=60", ANYTHING, test_tools.is_exposition),
    ("snapshot.json?buckets=1", ANYTHING, test_tools.is_pretty),
    ("snapshot.json?window=60", ANYTHING, test_tools.is_pretty),
    ("snapshot.msgpack", ANYTHING, test_tools.is_msgpack),
    ("summary.json", ANYTHING, test_tools.is_pretty),
    ("history.json", ANYTHING, test_tools.is_pretty),
    ("healthz", ANYTHING, test_tools.is_text),
]
# A segment that cannot be read or is nobody's; no history.
REFUSALS = (503, 404)


def ask(exporter, path, accept, is_sound, seen):
    connection = exporter.connection()
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Accept": accept})
        response = connection.getresponse()
        body = response.read()
    seen[response.status] += 1
    if response.status == 200:
        is_sound(body)
        return
    check(response.status in REFUSALS, path, "gave", response.status, body)
    test_tools.is_text(body)
    equal(body.count(b"\n"), 1, f"lines of {path}: {body!r}")


def ask_all(exporter, prefix, seen):
    for path, accept, is_sound in REQUESTS:
        try:
            ask(exporter, prefix + path, accept, is_sound, seen)
        except (AssertionError, ValueError, IndexError) as error:
            raise harness.Failed(f"{prefix}{path} ({accept}): {error}") from error


def serve(t, images, seen):
    """Twice: what was found damaged is attached anew, what was sound is polled."""
    exporter = Exporter(t, *UNHURRIED, *images)
    for _ in range(2):
        for image in images:
            ask_all(exporter, f"/segments/{image.name}/", seen)
    for path, accept, is_sound in REQUESTS[:3]:  # of all together
        ask(exporter, "/" + path, accept, is_sound, seen)
    exporter.stop()


@case
def damaged_files_are_served_or_refused(t):
    options, seen = t.tools, collections.Counter()
    subprocess.run([options.driver, "--write", t.folder, "--seed", "6",
                    "--count", str(options.count)], check=True, stdout=subprocess.DEVNULL)
    images = [t.folder / f"{number}-input" for number in range(options.count)]
    with contextlib.ExitStack() as locks:
        for image in images[::2]:
            locks.enter_context(test_tools.owned(image))
        for first in range(0, len(images), FILES_AT_ONCE):
            serve(t, images[first:first + FILES_AT_ONCE], seen)
    print("# statuses", dict(seen))
    check(all(seen[status] for status in (200, *REFUSALS)), "not all sorts of answers:", seen)


def damage_under_the_exporter(sort):
    def function(t):
        image, seen = t.folder / "image", collections.Counter()
        subprocess.run([t.tools.vandal, "--seed", image], check=True)
        t.background([t.tools.vandal, image, sort])
        exporter = Exporter(t, *UNHURRIED, image)
        for _ in range(PASSES):
            ask_all(exporter, "/", seen)

        def both_seen():  # the other program may always be the faster one for a while
            if not (seen[200] and seen[503]):
                ask_all(exporter, "/", seen)
            return seen[200] and seen[503]

        wait_until(both_seen, "good and bad answers")
        exporter.stop()
        print("# statuses", dict(seen))
    function.__name__ = f"damage_under_the_exporter_{sort}"
    return case(function)


for sort in ("flip", "cut", "replace"):
    damage_under_the_exporter(sort)

if __name__ == "__main__":
    harness.main()
