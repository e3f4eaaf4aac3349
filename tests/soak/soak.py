#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ast-server for minutes: traffic good and bad, clients that come and go, a file that
changes, four readers, kills and restarts. It must be as it was, and have counted all.

usage: soak.py --server FILE --cat FILE --ls FILE --schema FILE [--minutes N] [--seed N]

Lives of a server are made of rounds. After each round all is quiet, and the server's
counters are held against the ledger of what it was sent, its memory, descriptors,
threads and segment against what they were.
"""
import argparse
import asyncio
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import harness
from client import eventually
from harness import SHM, Server, check_identity, counters, of_traffic, tools, workplace
from test_strangers import BAD, GOOD, in_place

import measure
import traffic
from ledger import Ledger
from visitors import Visitors, newcomers_tree
from watchers import Readers

CASE = "soak"
ROUND = 4  # seconds
LONG_LIFE = 0.45  # of the whole time; the rest are short ones
SHORT_LIFE = 30  # seconds; in a short run they are shorter
LAST_FILE = 7  # the generation of the file that each round ends with
CLIENTS = 24
FLOOD_EVERY = 4  # rounds
WARM_UP = 3  # rounds, so that there was one of each kind; a fifth of many
ENDS = ("kill at rest", "stop at rest", "kill at work", "stop at work", "kill at work")
# A flood must not fit into the buffer, and a stalled client's queue must overflow. Without
# --control: what is made of clients' messages at random may switch the recording off.
SERVER_OPTIONS = ["--metrics-history", "1x4", "--udp-buffer", "262144",
                  "--ws-clients", str(CLIENTS), "--ws-queue", "200"]

# So that what is resident is what is in use: glibc would raise both thresholds to the
# largest piece that was ever freed, and keep as much of each heap.
FRUGAL = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
FRUGAL_BYTES = 384 << 10
USUAL_BYTES = 4 << 20
MANY_RESTS = 20  # make a line that what is there for one of them does not bend


class Life:
    """One server from its start to its end."""

    def __init__(self, path, readers, seed, last):
        in_place(path, LAST_FILE)
        self.path, self.readers, self.last = path, readers, last
        self.source = random.Random(seed)
        self.server = Server(CASE, *SERVER_OPTIONS, *([] if last else ["--metrics-keep"]),
                             websocket=True, loaded=path, environment=FRUGAL if last else None)
        self.ledger = Ledger()
        self.sender = traffic.Sender(self.server, self.ledger, seed)
        self.visitors = Visitors(self.server, seed)
        self.start = time.monotonic()
        self.bare = measure.rest(self.process_id, 0)
        self.rests, self.changes = [], 0

    @property
    def process_id(self):
        return self.server.process.pid

    # --- work ---

    def begin_work(self):
        """Returns how to end it."""
        stop, visit = asyncio.Event(), self.visitors.one_after_the_other
        visitors = self.visitors
        tasks = [asyncio.create_task(each) for each in (
            traffic.feed(self.sender, self.readers, stop),
            *(visit(visitors.polite, 0.2, stop) for _ in range(3)),
            *(visit(lambda: visitors.stalled(stop, 2), 0.5, stop) for _ in range(3)),
            *(visit(visitors.rude, 0.2, stop) for _ in range(2)),
            self.change_the_file(stop))]

        async def end_work():
            stop.set()
            await asyncio.wait_for(asyncio.gather(*tasks), harness.PATIENCE)
        return end_work

    async def change_the_file(self, stop):
        while not stop.is_set():
            self.source.choice(GOOD + BAD)(self.path, self.source.randrange(10))
            self.changes += 1
            await asyncio.sleep(0.1 + self.source.random())

    async def work(self, seconds, crowd, flood):
        end_work = self.begin_work()
        await asyncio.sleep(seconds)
        if crowd:
            await self.visitors.crowd(2 * CLIENTS)
        await end_work()
        if flood:
            await self.flood()

    async def flood(self):
        """With clients there that do not read: their queues overflow."""
        stop = asyncio.Event()
        stalled = [asyncio.create_task(self.visitors.stalled(stop, harness.PATIENCE))
                   for _ in range(2)]
        await eventually(lambda: self.clients() == len(stalled), "stalled clients")
        await traffic.flood(self.sender)
        stop.set()
        await asyncio.gather(*stalled)

    def clients(self):
        return self.server.document()["metrics"]["gauges"]["websocket.clients"]["current"]

    # --- rest ---

    async def come_to_rest(self):
        """The file as at the start, nobody there, everything applied."""
        await self.settle()  # or a track is renamed that the file has named
        before = self.server.said().count("reloaded ")
        in_place(self.path, LAST_FILE)
        await eventually(lambda: self.server.said().count("reloaded ") > before, "reload")
        await self.settle()
        while await self.first_track() != f"{LAST_FILE} 0":
            await asyncio.sleep(0.05)  # the reload that was seen was the one before
        await eventually(self.is_alone, "the last client has left")

    async def first_track(self):
        tree = await newcomers_tree(self.server)
        return next(node["attributes"]["name"] for node in tree["children"]
                    if node["node_type"] == "track")

    async def settle(self):
        try:
            await eventually(self.is_settled, "all is counted")
        except AssertionError:
            values = self.server.counters()
            raise AssertionError(self.ledger.differences(values), values) from None

    def is_settled(self):
        values = self.server.counters()
        return not self.ledger.differences(values) and values["websocket.broadcast.attempt"] == \
            values["websocket.broadcast.success"] + values["websocket.broadcast.failure"]

    def is_alone(self):
        return self.clients() == 0 and measure.count(self.process_id, "fd") <= self.bare.descriptors

    def check(self):
        document = self.server.document()
        values = counters(document)
        assert not self.ledger.differences(values), self.ledger.differences(values)
        check_identity(document)
        self.visitors.check(values)
        assert document["segment"]["torn"] == 0, document["segment"]
        rest = measure.rest(self.process_id, time.monotonic() - self.start,
                            document["segment"]["bytes"], self.bare.descriptors)
        assert rest.descriptors <= self.bare.descriptors, (rest, self.bare)
        assert rest.threads == self.bare.threads, (rest, self.bare)
        self.rests.append(rest)

    async def round(self, number):
        await self.work(ROUND, crowd=number % 3 == 1, flood=number % FLOOD_EVERY == 2)
        await self.come_to_rest()
        self.check()
        self.readers.raise_failures()

    async def run(self, seconds):
        self.sender.play_all()
        traffic.strange_paths(self.sender)
        await self.flood()
        number = 0
        while number < 1 or time.monotonic() - self.start + ROUND < seconds:
            await asyncio.wait_for(self.round(number), 3 * harness.PATIENCE)
            number += 1
        measure.check_flat(self.rests[self.warm_up():],
                           FRUGAL_BYTES if self.last else USUAL_BYTES, MANY_RESTS)

    def warm_up(self):
        return max(WARM_UP, len(self.rests) // 5) if len(self.rests) > WARM_UP else 0

    # --- the end ---

    async def end(self, how):
        die = self.kill if how.startswith("kill") else self.stop
        if how.endswith("at work"):
            end_work = self.begin_work()
            await asyncio.sleep(1 + self.source.random())
            self.visitors.end_is_near = True
            await asyncio.to_thread(die)
            await end_work()
            self.check_end_at_work(how)
        else:
            self.check()
            values = self.server.counters()
            await asyncio.to_thread(die)
            self.check_end_at_rest(how, values)
        self.server.socket.close()

    def kill(self):
        self.server.process.kill()
        self.server.process.wait(harness.PATIENCE)

    def stop(self):
        status, said = self.server.stop(signal.SIGTERM)
        assert status == 0, said

    def check_end_at_rest(self, how, values):
        if how.startswith("stop"):
            assert self.ledger.stopped_line(values) in self.server.said(), self.server.said()
        if self.last:
            assert not self.server.path.exists()
            return
        document = self.server.document()
        assert document["segment"]["state"] == ("dead" if how.startswith("kill") else "closed")
        assert of_traffic(counters(document)) == of_traffic(values), (counters(document), values)
        assert document["segment"]["torn"] == 0, document["segment"]
        check_identity(document)

    def check_end_at_work(self, how):
        """What was on its way is lost; what was counted is whole."""
        document = self.server.document()
        values = counters(document)
        assert values["udp.packet.received"] <= self.ledger.sent
        if how.startswith("stop"):
            assert document["segment"]["state"] == "closed"
            assert document["segment"]["torn"] == 0, document["segment"]
            check_identity(document)
            self.visitors.check(values)
            return
        assert document["segment"]["state"] == "dead"
        under_way = values["events.received"] - sum(values[key] for key in harness.RESULTS)
        assert 0 <= under_way <= 1, values


# --- all of it ----------------------------------------------------------------------------

def files():
    """In /dev/shm, of this run."""
    return sorted(path.name for path in SHM.glob(f"astshm.*.{os.getpid()}.{CASE}*"))


def check_files(segment):
    assert set(files()) <= {f"astshm.{segment}", f"astshm.{segment}~1"}, files()


async def die_young(path, source):
    """Killed while it starts: whatever is there then, the next one must cope with it."""
    process = await asyncio.create_subprocess_exec(
        tools.server, "--udp", "127.0.0.1:0", "--websocket", "127.0.0.1:0", "--metrics",
        f"test-server.{os.getpid()}.{CASE}", path, stderr=asyncio.subprocess.DEVNULL)
    await asyncio.sleep(0.02 * source.random())
    process.kill()
    await process.wait()


def lives(seconds):
    """(length, end) of each."""
    rest = seconds * (1 - LONG_LIFE)
    count = max(len(ENDS), round(rest / SHORT_LIFE))
    for number in range(count):
        yield rest / count, ENDS[number % len(ENDS)]
    yield seconds * LONG_LIFE, "stop at rest"


def report(number, life, how, seconds):
    values, last = counters(life.readers.json.newest), life.rests[-1]
    memory = [one.memory >> 10 for one in life.rests[life.warm_up():]]
    print(f"ok life {number}: {seconds:.0f} s, {len(life.rests)} rounds, then {how}\n"
          f"  {life.ledger.sent} datagrams: {life.ledger.parse_errors} malformed, "
          f"{values['udp.kernel.dropped']} dropped by the kernel, "
          f"{values['udp.packet.dropped'] - values['udp.sequence.lost']} by the queue\n"
          f"  {life.visitors.visits} visits, {life.visitors.answers} answers, "
          f"{life.visitors.refused} refused; {values['websocket.broadcast.attempt']} broadcasts, "
          f"{values['websocket.broadcast.failure']} not for all; {life.changes} changes of the "
          f"file, {values['errors.reload']} bad\n"
          f"  at rest: {min(memory)} to {max(memory)} KiB ({life.bare.memory >> 10} at the start),"
          f" growth {measure.growth(life.rests[life.warm_up():]) / 1024:.0f} KiB, "
          f"{last.descriptors} descriptors, {last.threads} threads, "
          f"segment {last.segment >> 10} KiB", flush=True)


async def live(life, length, how):
    try:
        await life.run(length)
        await life.end(how)
    except BaseException:
        print(f"{how}:", life.server.said()[-3000:], *life.rests, sep="\n", file=sys.stderr)
        raise
    finally:
        life.kill()


def clean_up(segment):
    """A clean stop leaves its dead predecessor alone, which is there for people to see."""
    assert files() == [f"astshm.{segment}~1"], files()
    subprocess.run([tools.ls, "--prune", segment + "~1"], check=True, timeout=harness.PATIENCE,
                   stdout=subprocess.DEVNULL)
    assert files() == []


async def soak(seconds, seed):
    segment = f"test-server.{os.getpid()}.{CASE}"
    path = pathlib.Path(workplace.name) / "soaked.als"
    readers = Readers(segment, json.loads(tools.schema.read_text(encoding="utf-8")))
    source = random.Random(seed)
    await readers.start()
    planned = list(lives(seconds))
    for number, (length, how) in enumerate(planned):
        start = time.monotonic()
        last = number == len(planned) - 1
        life = Life(path, readers, seed + number, last)
        await live(life, length, how)
        report(number, life, how, time.monotonic() - start)
        readers.measure()
        if not last:
            check_files(segment)
            for _ in range(source.randrange(3)):
                await die_young(path, source)
                check_files(segment)
    await readers.stop()
    readers.check(len(planned))
    clean_up(segment)
    print("ok readers, and no file is left", flush=True)


def main():
    parser = argparse.ArgumentParser()
    for option in ("server", "cat", "ls", "schema"):
        parser.add_argument("--" + option, required=True, type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10 ** 9))
    parser.parse_args(namespace=tools)
    tools.sanitizer = "none"
    print(f"seed {tools.seed}", flush=True)
    try:
        asyncio.run(soak(tools.minutes * 60, tools.seed))
    finally:
        for name in files():
            (SHM / name).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
