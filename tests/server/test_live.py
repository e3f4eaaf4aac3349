#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Events at full speed, and clients that keep a copy of the tree by the diffs alone.

The sender asks nobody; whatever the kernel, the queue of events or the queue
of a client could not hold must be in the counters, to the last one.
"""
import asyncio
import contextlib
import pathlib
import pickle
import random
import subprocess
import sys

import client as websocket
import harness
import make_set
import osc
from client import eventually, receive, welcomed, without_hashes
from copied_tree import CopiedTree, difference
from harness import PATIENCE, Server, by_type, check_identity, counters, tools, workplace

TRACKS, SCENES = 4, 8
HELD_BACK = ("/live/device/param", "/live/transport/tempo")
CURSOR = "/live/cursor/scene"
# Of its by_type counters only "received" has the path.
TRANSPORT = ("/live/transport/play", "/live/transport/position")
LAST_TEMPO = 77.5
PONG_SECONDS = 5  # the server waits 20


def live_set():
    path = pathlib.Path(workplace.name) / "live.als"
    if not path.exists():
        tracks = [make_set.track("MidiTrack", f"Track {at}",
                                 [make_set.slot(each, make_set.midi_clip() if each % 3 else "")
                                  for each in range(SCENES)],
                                 [make_set.tag("Eq8"), make_set.tag("Reverb")], number=at)
                  for at in range(TRACKS)]
        make_set.write(path, make_set.live_set(
            [*tracks, make_set.track("ReturnTrack", "Return")],
            [make_set.scene(at, f"Scene {at}") for at in range(SCENES)], "MainTrack", "12",
            make_set.file_ref("a.wav")))
    return path


# --- what is sent ------------------------------------------------------------------

def attribute_event(source):
    track = source.randrange(TRACKS + 2)
    return source.choice((
        ("/live/track/renamed", track, f"name {source.randrange(100)}"),
        ("/live/track/mute", track, source.random() < 0.5),
        ("/live/track/arm", track, source.randrange(2)),
        ("/live/track/volume", track, source.random()),
        ("/live/scene/renamed", source.randrange(SCENES), f"scene {source.randrange(100)}"),
        ("/live/transport/play", source.randrange(2)),
        ("/live/transport/position", source.random() * 64),
        ("/live/transport/tempo", 60 + source.random() * 100),
        ("/live/device/param", source.randrange(TRACKS), source.randrange(2),
         source.randrange(8), source.random()),
        ("/live/clip_slot/created", source.randrange(TRACKS), source.randrange(SCENES),
         source.random() < 0.5, True, source.randrange(3)),
        (CURSOR, source.randrange(SCENES))))


def structural_event(source, number):
    """In turns, so that the tree does not grow for ever."""
    return ((("/live/scene/added", source.randrange(SCENES + 1), "new")),
            (("/live/device/added", source.randrange(TRACKS), source.randrange(4), "Device")),
            (("/live/scene/removed", source.randrange(SCENES))),
            (("/live/device/deleted", source.randrange(TRACKS), source.randrange(2))))[number % 4]


def make_events(count):
    source = random.Random(20261126)
    return [structural_event(source, number // 100) if number % 100 == 50
            else attribute_event(source) for number in range(count)]


def blast(server, datagrams):
    done = subprocess.run([sys.executable, pathlib.Path(__file__).with_name("blast.py"),
                           str(server.port)], input=pickle.dumps(datagrams),
                          stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    server.sent += len(datagrams)
    return int(done.stdout)


def socket_is_empty(server):
    """What the kernel took for the server has all been read."""
    with open("/proc/net/udp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[1].endswith(f":{server.port:04X}"):
                return fields[4].endswith(":00000000")
    raise AssertionError("no such socket")


# --- what comes back ---------------------------------------------------------------

class Follower:
    """A client that applies what it is sent, and looks at its order."""

    max_queue = None  # messages that the library reads ahead

    def __init__(self, server, events):
        self.server, self.events = server, events
        self.counts = {}  # of diffs, by path
        self.received = self.welcomes = 0
        self.newest = -1  # number, of what is not held back
        self.ended = False

    async def __aenter__(self):
        self.socket = await websocket.connect(self.server, self.max_queue)
        self.tree = CopiedTree(await welcomed(self.socket))
        self.task = asyncio.create_task(self.follow())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.socket.close()

    async def follow(self):
        while True:
            self.take(await receive(self.socket))

    def take(self, message):
        payload = message["payload"]
        if message["type"] == "FULL_AST":
            self.welcomes += 1
            self.tree = CopiedTree(payload["ast"])
            return
        self.received += 1
        if message["type"] == "live_event":
            self.note(payload["seq_num"])
        else:
            assert message["type"] == "DIFF_UPDATE", message
            self.note(payload["diff"]["changes"][0]["seq_num"])
            self.change(payload["diff"])

    def change(self, diff):
        self.tree.apply(diff)

    def note(self, number):
        path = self.events[number][0]
        self.counts[path] = self.counts.get(path, 0) + 1
        if path not in HELD_BACK:
            assert number > self.newest, (number, self.newest)
            self.newest = number
        if number == len(self.events) - 1:
            self.ended = True

    async def until(self, condition, what):
        """A fault while following comes up here."""
        await eventually(lambda: self.task.done() or condition(), what)
        if self.task.done():
            self.task.result()

    async def until_the_end(self):
        """That is the last event's diff."""
        await self.until(lambda: self.ended, "the last diff")


class OutOfStep(Follower):
    """One that reads late and loses messages: its copy is right again with the next whole."""

    max_queue = 32

    def __init__(self, server, events):
        super().__init__(server, events)
        self.may_read = asyncio.Event()

    async def follow(self):
        while not self.may_read.is_set():
            await self.socket.pong()  # or it would be dropped for the pings it does not read
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.may_read.wait(), PONG_SECONDS)
        await super().follow()

    def change(self, diff):
        try:
            self.tree.apply(diff)
        except (KeyError, AssertionError):
            pass


def same(tree, whole):
    assert tree == whole, difference(tree, whole)


async def end(server, events):
    """Sends the last event, which is held back: what was held back before it goes out first.

    It arrives, for the socket is empty. A new client sees it, and gives its tree.
    """
    await eventually(lambda: socket_is_empty(server), "socket read")
    await eventually(lambda: server.has_applied(0), "queue applied")
    async with Follower(server, events) as newcomer:
        number = len(events) - 1
        server.send(osc.event(number, *events[number]))
        await newcomer.until_the_end()
        async with websocket.connect(server) as newest:
            whole = without_hashes(await welcomed(newest))
        same(newcomer.tree.root, whole)
        return whole


def check_accounts(server, document, cursor_events):
    values = counters(document)
    refused = values["udp.packet.dropped"] - values["udp.sequence.lost"]
    assert server.sent == values["udp.packet.received"] + values["udp.sequence.lost"], values
    assert values["udp.kernel.dropped"] == values["udp.sequence.lost"], values
    if cursor_events is not None:
        assert values["udp.packet.received"] == \
            values["events.received"] + refused + cursor_events, values
    assert values["events.ignored.invalid"] == values["errors.event_processing"] == 0
    assert values["websocket.broadcast.attempt"] == \
        values["websocket.broadcast.success"] + values["websocket.broadcast.failure"], values
    check_identity(document)
    return values


def check_each_kind(document, follower):
    """As many diffs as events of that path were processed."""
    received = by_type(document, "events.received.by_type")
    processed = by_type(document, "events.processed.by_type")
    for path, count in follower.counts.items():
        if path in HELD_BACK:
            assert count <= received[path], path
        elif path != CURSOR:
            assert count == (received if path in TRANSPORT else processed)[path], path


def event_count(plain, heavy):
    return heavy if tools.heavy else plain


async def test_every_diff_comes_in_order_at_full_speed():
    events = [*make_events(event_count(10000, 50000)), ("/live/transport/tempo", LAST_TEMPO)]
    datagrams = [osc.event(number, *event) for number, event in enumerate(events[:-1])]
    with Server("full-speed", "--queue", "100000", "--ws-queue", "100000", websocket=True,
                loaded=live_set()) as server:
        async with Follower(server, events) as follower:
            rate = await asyncio.to_thread(blast, server, datagrams)
            whole = await end(server, events)
            await follower.until_the_end()
            document = server.document()
            values = check_accounts(server, document, follower.counts[CURSOR])
            print(f"  sent {server.sent} at {rate}/s, lost by the kernel "
                  f"{values['udp.kernel.dropped']}, diffs {follower.received}")
            assert values["websocket.queue.dropped"] == 0
            assert follower.received == values["websocket.broadcast.attempt"] - 1  # the load's
            assert follower.welcomes == 0
            check_each_kind(document, follower)
            same(follower.tree.root, whole)
            assert whole["attributes"]["tempo"] == LAST_TEMPO


def lengthy(events):
    """Without what is held back, so that each event is one message; some are of 6 KB."""
    source = random.Random(20261127)
    return [("/live/track/renamed", number % TRACKS, chr(source.randrange(97, 123)) * 3000)
            if number % 10 == 0 or event[0] in HELD_BACK else event
            for number, event in enumerate(events)]


async def test_what_a_client_loses_is_counted_and_made_up_for():
    events = [*lengthy(make_events(event_count(5000, 50000))),
              ("/live/transport/tempo", LAST_TEMPO)]
    datagrams = [osc.event(number, *event) for number, event in enumerate(events[:-1])]
    with Server("lossy", "--ws-queue", "10", websocket=True, loaded=live_set()) as server:
        async with OutOfStep(server, events) as follower:
            await asyncio.to_thread(blast, server, datagrams)
            whole = await end(server, events)
            follower.may_read.set()
            document = server.document()
            values = check_accounts(server, document, None)
            assert values["websocket.queue.dropped"] == values["websocket.broadcast.failure"] > 0
            kept = values["websocket.broadcast.attempt"] - 1 - values["websocket.queue.dropped"]
            await follower.until(lambda: follower.received == kept, "all that was not lost")
            await follower.until(lambda: follower.tree.root == whole, "the whole again")
            print(f"  received {follower.received}, lost {values['websocket.queue.dropped']}, "
                  f"the whole {follower.welcomes} times")
            assert follower.received == kept
            assert server.counters()["websocket.queue.dropped"] == \
                values["websocket.queue.dropped"]


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat"))
