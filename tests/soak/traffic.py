# SPDX-License-Identifier: MIT
"""Events of a session, well formed and damaged, for a tree that does not grow by them."""
import asyncio
import pathlib
import pickle
import random
import socket
import subprocess
import sys

import harness
import osc
from client import eventually
from test_strangers import DATAGRAMS, HOSTILE

from ledger import WINDOW

ROUND_ABOUT = 200  # datagrams in flight: what the smallest receive buffer holds
BATCH = 20
PAUSE = 0.05
FLOOD = 20000
BLAST = pathlib.Path(harness.__file__).with_name("blast.py")

# As often added as removed; each way that an event may end.
SESSION = [
    ("/live/track/renamed", 0, "Bass"), ("/live/track/renamed", 1, "Größe"),
    ("/live/track/mute", 0, True), ("/live/track/mute", 0, False), ("/live/track/arm", 1, 1),
    ("/live/track/volume", 2, 0.85), ("/live/track/volume", 2, 0.5),
    ("/live/device/added", 0, 0, "Echo"), ("/live/device/param", 0, 0, 3, 0.25),
    ("/live/device/param/value", 0, 0, 3, 0.75), ("/live/device/deleted", 0, 0),
    ("/live/scene/added", 1, "Bridge"), ("/live/clip_slot/created", 0, 1, True, True, 1),
    ("/live/scene/renamed", 1, "Bridge 2"), ("/live/scene/removed", 1),
    ("/live/scene/reordered", 0, "x"), ("/live/clip_slot/created", 0, 0, True, True, 2),
    ("/live/transport/play", True), ("/live/transport/tempo", 121.5),
    ("/live/transport/tempo", 122.0), ("/live/transport/position", 16.5),
    ("/live/transport/metronome", 1), ("/live/cursor/track", 1, 255, "x"),
    ("/live/cursor/scene", 2), ("/live/track/color", 0, 255), ("/live/clip/added", 0, 0, "x"),
    ("/live/track/mute", 99, True), ("/live/track/renamed", 0),
    ("/live/track/renamed", "abc", "x"), ("/live/device/deleted", 0, 77)]

OUTSIDE = [osc.message("/live/batch/start", 7), osc.message("/live/batch/end", 7),
           osc.message("/live/batch/end"), osc.message("/live/track/renamed", 0, "bare")]


class Sender:
    """Sends to one server, and enters what it sends in the ledger."""

    def __init__(self, server, ledger, seed):
        self.server, self.ledger = server, ledger
        self.source = random.Random(seed)
        self.number, self.at = 0, 0
        self.skipped, self.recent = [], []

    def send(self, datagram):
        if self.server.process.poll() is not None:
            return  # killed, as it may be
        self.server.socket.sendto(datagram, ("127.0.0.1", self.server.port))
        self.ledger.take(datagram, self.server.socket.getsockname()[1])

    def event(self, *event):
        datagram = osc.event(self.number, *event)
        self.number += 1
        self.recent = [*self.recent[-49:], datagram]
        self.send(datagram)

    def play(self):
        """The session's next event."""
        self.event(*SESSION[self.at % len(SESSION)])
        self.at += 1

    def play_all(self):
        for _ in SESSION:
            self.play()

    # --- what goes wrong on the way ---

    def gap(self):
        first = self.number
        self.number += self.source.randint(1, 20)
        self.skipped = list(range(first, self.number))
        self.play()

    def late(self):
        if self.skipped:
            self.send(osc.event(self.skipped.pop(), "/live/transport/play", True))

    def twice(self):
        if self.recent:
            self.send(self.source.choice(self.recent))

    def anew(self):
        """The sender restarts: another port, and 0."""
        self.server.renew_socket()
        self.number, self.skipped, self.recent = 0, [], []
        self.play()

    def damaged(self):
        samples = [osc.event(self.number, *self.source.choice(SESSION)),
                   self.source.choice(DATAGRAMS)]
        for datagram in osc.mutations(self.source.random(), 1, samples):
            self.send(datagram)

    def hostile(self):
        self.send(self.source.choice(HOSTILE + OUTSIDE))

    def step(self):
        how = self.source.choices(
            (self.play, self.damaged, self.gap, self.late, self.twice, self.hostile, self.anew),
            (1000, 200, 10, 10, 20, 20, 2))
        how[0]()


def queue_depth(document):
    return document["metrics"]["gauges"]["udp.queue.depth"]["current"]


def in_flight(sender, document):
    """By the newest document that a reader has, of this server or of the last."""
    if not document or document["segment"]["pid"] != sender.server.process.pid:
        return sender.ledger.sent
    values = harness.counters(document)
    return (sender.ledger.sent - values["udp.packet.received"] - values["udp.kernel.dropped"] +
            queue_depth(document))


async def wait_for_room(sender, readers):
    end = asyncio.get_running_loop().time() + harness.PATIENCE
    while in_flight(sender, readers.json.newest) > ROUND_ABOUT and \
            sender.server.process.poll() is None:
        readers.raise_failures()
        assert asyncio.get_running_loop().time() < end, \
            ("datagrams never arrived", sender.ledger.sent, readers.json.newest)
        await asyncio.sleep(PAUSE)


async def feed(sender, readers, stop):
    while not stop.is_set():
        for _ in range(BATCH):
            sender.step()
        await wait_for_room(sender, readers)
        await asyncio.sleep(PAUSE)


def strange_paths(sender):
    """More than there are tag sets, so that no later one makes the segment grow."""
    for number in range(80):
        sender.event(f"/live/strange/{number}", number)


def blast(sender):
    """More at once than socket or queue hold: the events 1 to FLOOD."""
    datagrams = [osc.event(number, "/live/transport/play", number % 2 == 0)
                 for number in range(1, FLOOD + 1)]
    subprocess.run([sys.executable, BLAST, str(sender.server.port)],
                   input=pickle.dumps(datagrams), check=True, stdout=subprocess.DEVNULL,
                   timeout=harness.PATIENCE)


def bytes_in_socket(port):
    for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]:
        local, queues = line.split()[1], line.split()[4]
        if int(local.split(":")[1], 16) == port:
            return int(queues.split(":")[1], 16)
    return 0


def is_drained(server):
    return bytes_in_socket(server.port) == 0 and queue_depth(server.document()) == 0


async def flood(sender):
    """0 arrives for certain, and what comes after the flood: what is lost, lies in between."""
    await eventually(lambda: is_drained(sender.server), "room")
    sender.server.renew_socket()
    sender.number, sender.skipped, sender.recent = 0, [], []
    sender.play()
    await asyncio.to_thread(blast, sender)
    await eventually(lambda: is_drained(sender.server), "the flood is over")
    sender.ledger.flood(FLOOD)
    sender.number = FLOOD + 1
    for _ in range(WINDOW):
        sender.play()
