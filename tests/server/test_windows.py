#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The last minutes of a running ast-server, and of one that was killed."""
import json
import pathlib
import struct
import subprocess
import time

import harness
import make_set
import osc
from harness import PATIENCE, Server, tools, wait_until, workplace

FAST, SLOW = "/live/track/mute", "/live/scene/added"
TRACKS, SCENES = 20, 200
OFTEN = ("--metrics-history", "1x300")

# doc/segment.md: where a header has its history, and what is in an entry of it.
HISTORY_OFF, ENTRY_BYTES_OFF = 704, 56
KEPT = 24 + 60 + 1 # by default


def wide_set():
    """A new scene in front of all others moves each of its slots."""
    path = pathlib.Path(workplace.name) / "wide.als"
    if not path.exists():
        slots = [make_set.slot(number) for number in range(SCENES)]
        make_set.write(path, make_set.live_set(
            [make_set.track("MidiTrack", f"Track {at}", slots) for at in range(TRACKS)],
            [make_set.scene(at, f"Scene {at}") for at in range(SCENES)]))
    return path


def cat(*arguments):
    done = subprocess.run([tools.cat, *arguments], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def entries(segment):
    done = subprocess.run([tools.cat, "--history", segment], capture_output=True, text=True,
                          timeout=PATIENCE)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Load:
    """Events, one after the other."""

    def __init__(self, server):
        self.server = server
        self.sent = 0

    def send(self, path, count):
        for _ in range(count):
            arguments = (0, "new") if path == SLOW else (self.sent % TRACKS, self.sent % 2 == 0)
            self.server.send(osc.event(self.sent, path, *arguments))
            self.sent += 1
        self.server.settle(self.sent)


def latency(segment, *arguments):
    """The 95th percentile of the summary, in milliseconds; 0 without an event."""
    summary = json.loads(cat("-f", "summary", *arguments, segment))
    return summary["event_processing"]["latency_ms"]["p95"] or 0


def recent(segment):
    return latency(segment, "--window", "2s")


def watch(condition, what):
    """Entries come every second: looking for them all the time would only cost."""
    wait_until(lambda: time.sleep(0.2) or condition(), what)


def spike(load, lifetime):
    """Slow events until the last seconds are slow; how slow. They must stay few among all."""
    name = load.server.name
    peak = 0

    def is_slow():
        nonlocal peak
        load.send(SLOW, 1)
        peak = recent(name)
        return peak > 20 * lifetime

    watch(is_slow, "a slow window")
    return peak


def test_a_spike_raises_the_windows_p95_and_is_over():
    with Server("spike", *OFTEN, loaded=wide_set()) as server:
        load = Load(server)
        load.send(FAST, 2000)
        lifetime = latency(server.name)
        assert lifetime > 0
        watch(lambda: recent(server.name) == 0, "a window without an event")
        peak = spike(load, lifetime)
        assert latency(server.name) < peak / 10, (latency(server.name), peak)
        # No other event comes: the window must leave the spike behind by itself.
        watch(lambda: recent(server.name) == 0, "a window without the spike")
        watch(lambda: load.send(FAST, 50) or 0 < recent(server.name) < peak / 10,
              "a window of fast events alone")
        # Its history still has it.
        steps = cat("--history", "-d", "--value", "event.processing.duration:p95", server.name)
        assert max(map(float, steps.split())) * 1000 > peak / 10, steps


def test_what_came_before_a_kill_is_told_after_the_restart():
    with Server("killed", *OFTEN, loaded=wide_set()) as server:
        load = Load(server)
        load.send(FAST, 100)
        watch(lambda: len(entries(server.name)) > 1, "a second entry")
        load.send(SLOW, 3)
        server.process.kill()
        server.process.wait()
        with Server("killed", *OFTEN, loaded=wide_set()) as again:
            assert again.name == server.name
            told = cat("--post-mortem", server.name + "~1")
            assert "ended           killed or crashed" in told, told
            assert "PER SEC: events.processed" in told, told
            document = json.loads(cat("--post-mortem", "--window", "1h", "-f", "json",
                                      server.name + "~1"))
            assert document["state"] == "dead"
            assert document["last"]["segment"]["pid"] == server.process.pid
            values = document["last"]["metrics"]["counters"]
            assert values["events.processed"]["value"] == 103
            window = document["last"]["window"]
            assert window["counters"]["events.processed"]["increase"] == 103
            first = document["intervals"][0]["counters"]["events.processed"]["increase"]
            assert 0 <= first <= 103
            # The new one's is another history.
            assert again.counters()["events.processed"] == 0
            for path in harness.SHM.glob(f"astshm.{server.name}~*"):
                path.unlink()


def entry_sizes(server):
    segment = server.path.read_bytes()
    (head,) = struct.unpack_from("=Q", segment, HISTORY_OFF)
    first, stride, count, chunk = struct.unpack_from("=4I", segment, head)
    for at in range(head + first, head + first + count * stride, stride):
        (sequence,) = struct.unpack_from("=Q", segment, at)
        (size,) = struct.unpack_from("=I", segment, at + ENTRY_BYTES_OFF)
        if sequence:
            yield stride + -(-size // (chunk - 8)) * chunk


def test_an_hours_entries_of_all_metrics_stay_below_a_mebibyte():
    with Server("hour", *OFTEN, "--queue", "30000", "--udp-buffer", "67108864",
                websocket=True) as server:
        subprocess.run([tools.send, f"127.0.0.1:{server.port}", "20000", "--mix"], check=True,
                       capture_output=True, timeout=PATIENCE)
        server.settle(20000)
        have = len(entries(server.name))
        watch(lambda: len(entries(server.name)) > have + 1, "entries with all of it")
        assert len(entries(server.name)[-1]["metrics"]["timings"]) > 25
        assert max(entry_sizes(server)) * KEPT < 1 << 20, max(entry_sizes(server))


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat", "send"))
