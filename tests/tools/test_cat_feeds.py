#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-cat reads recordings of feeds (doc/feeds.md), good ones and others."""
import os
import pathlib
import signal

import harness
from feed import HEAD, MAGIC
from harness import case, check, equal, wait_until


def frame(document, number=1, version=1, flags=0, more=b"", length=None):
    """`more` stands behind the head as we know it."""
    return HEAD.pack(MAGIC, version, flags, HEAD.size + len(more), number,
                     len(document) if length is None else length) + more + document


class Recording:
    """Two snapshots of one server, 1,000 events apart, and one of another."""

    def __init__(self, t):
        self.t, self.path = t, t.folder / "recording.feed"
        one, two = t.fixture("1"), t.fixture("2")
        self.first = t.save(one).read_bytes()
        one.ask("more")
        self.second = t.save(one).read_bytes()
        self.other = t.save(two).read_bytes()
        self.events = [self.count(document) for document in (self.first, self.second)]
        check(self.events[0] < self.events[1], self.events)

    def write(self, *frames):
        self.path.write_bytes(b"".join(frames))
        return self.path

    def count(self, *frames, merge=False):
        words = ["--merge"] if merge else []
        text = self.t.cat(*words, "--value", "events.received", self.write(*frames)).out
        return int(text)

    def refused(self, *frames, status=6, text=""):
        result = self.t.cat(self.write(*frames), status=status)
        check(text in result.err, result.err, "does not say", text)


@case
def the_newest_snapshot_of_a_feed_counts(t):
    r = Recording(t)
    equal(r.count(frame(r.first), frame(r.second, 2)), r.events[1])
    equal(r.count(frame(r.second, 7), frame(r.first, 9)), r.events[0])
    r.write(frame(r.first), frame(r.second, 2))
    stdin = t.cat("--value", "events.received", "-", stdin=r.path.read_bytes()).out
    equal(int(stdin), r.events[1], "of stdin")
    since = t.cat("--since", r.write(frame(r.first)), "-f", "json", t.save(t.fixtures[0])).json()
    equal(since["metrics"]["counters"]["events.received"]["increase"], r.events[1] - r.events[0])


@case
def merging_takes_the_newest_of_each_writer(t):
    r = Recording(t)
    both = r.events[0] + r.events[1]
    equal(r.count(frame(r.first), frame(r.other), frame(r.second), merge=True), both)
    equal(r.count(frame(r.other), frame(r.first), frame(r.second), merge=True), both)
    equal(r.count(frame(r.second), merge=True), r.events[1])
    other = t.folder / "other.msgpack"
    other.write_bytes(r.other)
    document = t.cat("--merge", r.write(frame(r.first), frame(r.second)), other).json()
    equal(document["metrics"]["counters"]["events.received"]["value"], both)
    equal(len(document["sources"]), 2)
    # Documents without heads are of one segment: the last one counts, as ever.
    equal(r.count(r.first, r.second, merge=True), r.events[1])


@case
def a_feed_that_is_still_written_ends_anywhere(t):
    r = Recording(t)
    whole, begun = frame(r.first), frame(r.second, 2)
    for cut in (1, 3, 4, 5, HEAD.size - 1, HEAD.size, HEAD.size + 1, len(begun) - 1):
        equal(r.count(whole, begun[:cut]), r.events[0], f"cut after {cut}")
        if cut >= 4:
            r.refused(begun[:cut], text="ends within the snapshot")
    r.refused(begun[:3], text="is neither")


@case
def what_a_later_version_adds_is_skipped(t):
    r = Recording(t)
    equal(r.count(frame(r.first, more=b"x" * 300)), r.events[0])
    equal(r.count(frame(r.first), frame(b"\xc1 unknown", flags=1)), r.events[0])
    r.refused(frame(b"\xc1 unknown", flags=0x80), text="ends within the snapshot")
    r.refused(frame(r.first, version=2), status=5, text="version 2")
    r.refused(frame(r.first), frame(r.second, version=0), status=5, text="version 0")


@case
def frames_that_lie_are_refused(t):
    r = Recording(t)
    r.refused(frame(r.first), b"\x80" + frame(r.second), text="no frame where one should begin")
    r.refused(frame(r.first), r.second, text="no frame where one should begin")
    r.refused(frame(r.first, length=len(r.first) - 1) + b"\xc1asf", text="not as long")
    r.refused(frame(r.first + b"\x80"), text="not as long")
    r.refused(frame(b""), text="not as long")
    r.refused(frame(b"\xc1"), text="recording.feed")
    r.refused(HEAD.pack(MAGIC, 1, 0, HEAD.size - 1, 1, 1) + b"\x80" * 9, text="no frame")
    r.refused(frame(r.first), frame(r.second[:-1]), text="not as long")
    # 4 GiB are asked for, and not waited for or reserved.
    r.refused(frame(r.first, length=0xffffffff), text="ends within the snapshot")


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@case
def a_feed_of_very_many_snapshots_can_be_interrupted(t):
    r = Recording(t)
    t.fixtures[0].ask("many")
    one = frame(t.save(t.fixtures[0]).read_bytes())
    r.write(*[one] * (64000000 // len(one)))
    process = t.start("--merge", r.path)
    # To read the file takes a part of it, to decode all that is in it many times as long.
    wait_until(lambda: cpu_seconds(process) > 0.2, "some work")
    _, err = t.finish(process, status=1, number=signal.SIGINT)
    check("interrupted" in err, err)


if __name__ == "__main__":
    harness.main()
