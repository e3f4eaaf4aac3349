#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-cat reads recordings of feeds (doc/feeds.md), good ones and others."""
import os
import pathlib
import re
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

    def mends(self, data, wanted, skipped, places=1, merge=False):
        """`skipped` bytes are told of, and the rest comes to `wanted`."""
        words = ["--merge"] if merge else []
        result = self.t.cat(*words, "--value", "events.received", self.write(data))
        equal(int(result.out), wanted, "value")
        found = re.search(r": skipped (\d+) bytes?, in (\d+) place", result.err)
        equal(found and tuple(map(int, found.groups())), (skipped, places), result.err)

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
def a_recording_that_lost_its_beginning_is_read_from_its_next_frame(t):
    r = Recording(t)
    lost, rest = frame(r.first), frame(r.other) + frame(r.second)
    # Where a document begins, and where something in it looks like one.
    maps = [i for i, byte in enumerate(lost) if byte & 0xf0 == 0x80]
    for cut in {1, 2, 3, 4, HEAD.size - 1, HEAD.size, len(lost) - 1, *maps[1::len(maps) // 8]}:
        r.mends(lost[cut:] + rest, r.events[1], len(lost) - cut)
    r.mends(lost[5:] + rest, sum(r.events), len(lost) - 5, merge=True)
    stdin = t.cat("--value", "events.received", "-", stdin=lost[5:] + rest)
    equal(int(stdin.out), r.events[1], "of stdin")
    check(f"stdin: skipped {len(lost) - 5} bytes, in 1 place" in stdin.err, stdin.err)
    r.refused(lost[5:], text="is neither")
    r.refused(lost[HEAD.size + maps[1]:], lost[:-1])
    result = t.cat("-", stdin=lost[5:] + lost[:-1], status=6)
    check("is no msgpack snapshot" in result.err, result.err)


@case
def what_is_damaged_in_the_middle_is_passed_over(t):
    r = Recording(t)
    begin, end = frame(r.other), frame(r.second, 3)
    middle = frame(r.first, 2)
    for what, damaged in (
            ("more", b"\x80"), ("no head", r.first), ("cut off", middle[:-1]), ("end", middle[9:]),
            ("longer", frame(r.first + b"\x80")), ("shorter", frame(r.first[:-1])),
            ("lies", frame(r.first, length=len(r.first) + 1)), ("empty", frame(b"")),
            ("as long as can be", frame(r.first, length=0xffffffff)),
            ("no document", frame(b"\x80")), ("no msgpack", frame(b"\xc1")),
            ("magic", MAGIC), ("small head", HEAD.pack(MAGIC, 1, 0, 19, 1, 1) + b"\x80")):
        try:
            r.mends(begin + damaged + end, sum(r.events), len(damaged), merge=True)
        except harness.Failed as error:
            raise harness.Failed(f"{what}: {error}") from None
    r.mends(begin + b"x" + middle + b"yy" + end, r.events[1], 3, 2)
    r.mends(middle + b"behind", r.events[0], 6)
    r.mends(frame(r.other, version=2) + end, r.events[1], len(begin))
    # Whose magic, length of head or of document is hit is not believed any more.
    for i in (0, 1, 2, 3, 6, 7, 16, 17, 18, 19):
        hit = bytearray(middle)
        hit[i] ^= 0x40
        r.mends(begin + bytes(hit) + end, r.events[1], len(middle))


@case
def frames_within_frames_take_no_longer_than_others(t):
    r = Recording(t)
    # Each says that it goes to the end: what is in them would be looked at 5,000 times.
    heads = [HEAD.pack(MAGIC, 1, 0, HEAD.size, 1, i * HEAD.size) for i in range(10000)]
    r.refused(frame(r.first), *reversed(heads), text="much more is damaged")
    r.refused(b"cut off", *reversed(heads))
    r.mends(frame(r.first) + MAGIC * 100000 + frame(r.second), r.events[1], 400000)


@case
def frames_that_lie_are_refused(t):
    r = Recording(t)
    r.refused(b"\xc1asf" * 9, status=5, text="version 193")
    r.refused(frame(r.first, length=len(r.first) - 1) + b"\xc1asf", text="not as long")
    r.refused(frame(r.first + b"\x80"), text="not as long")
    r.refused(frame(b""), text="not as long")
    r.refused(frame(b"\xc1"), text="recording.feed")
    r.refused(HEAD.pack(MAGIC, 1, 0, HEAD.size - 1, 1, 1) + b"\x80" * 9, text="no frame")
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
    # Where we get no time to interrupt it, it comes to its end: once more, then.
    for _ in range(5):
        process = t.start("--merge", r.path)
        # To read the file takes a part of it, to decode all that is in it many times as long.
        wait_until(lambda: cpu_seconds(process) > 0.2, "some work")
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        if process.wait(harness.PATIENCE) != 0:
            break
    _, err = t.finish(process, status=1)
    check("interrupted" in err, err)


if __name__ == "__main__":
    harness.main()
