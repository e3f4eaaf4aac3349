#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hundred clients, ten of which do not read: nobody else is to notice.

The sender waits for the readers between one handful of events and the next, so
that none of them loses anything, however slow they are; what does not read
loses messages for certain once its socket is full.
"""
import asyncio
import contextlib
import functools
import json
import signal
import time

import websockets

import client as websocket
import harness
import osc
from client import ask, eventually, receive, stalled, welcomed
from harness import PATIENCE, Server, tools

READERS, STALLED = 90, 10
HANDFUL = 20  # events between two looks at the readers
PONG = b"\x8a\x80\0\0\0\0"
QUEUE = 64  # messages for one client; more than a handful
NAME_BYTES = 3800  # of a name; a diff has the old and the new one
LENGTHY_DIFF = 8 << 10
# What the 10 may cost: their queues, though all share the messages in them, what
# libwebsockets copied of one that a socket took in part, and the allocator's rounding.
STALLED_BYTES = QUEUE * LENGTHY_DIFF + STALLED * (64 << 10) + (4 << 20)


def handfuls():
    return 40 if tools.heavy else 8


def lengthy_rename(number):
    return osc.event(number, "/live/track/renamed", 0, chr(97 + number % 26) * NAME_BYTES)


@functools.lru_cache(2 * HANDFUL)
def number_told(text):
    """All readers get the same texts: each is looked at once."""
    message = json.loads(text)
    assert message["type"] == "DIFF_UPDATE", message
    change, = message["payload"]["diff"]["changes"]
    return change["seq_num"]


async def read(reader, first, count):
    """Every diff, in order, none left out."""
    for number in range(first, first + count):
        assert number_told(await reader.recv()) == number


async def tell(server, readers, first, count, silent=()):
    """Handful by handful; the highest memory the server had in use."""
    most = 0
    for handful in range(first, first + count):
        for each in silent:
            each.sendall(PONG)  # or they would be dropped where this takes long
        start = handful * HANDFUL
        for number in range(start, start + HANDFUL):
            server.send(lengthy_rename(number))
        await asyncio.wait_for(asyncio.gather(*(read(reader, start, HANDFUL)
                                                for reader in readers)), PATIENCE)
        most = max(most, server.resident_bytes())
    return most


async def connect_readers(server, stack, count):
    readers = [await stack.enter_async_context(websocket.connect(server))
               for _ in range(count)]
    for reader in readers:
        await welcomed(reader)
    return readers


async def stall(server, stack, readers):
    silent = [stack.enter_context(stalled(server)) for _ in range(STALLED)]
    await eventually(lambda: clients(server) == len(readers) + STALLED, "all connected")
    return silent


def median(server):
    """Seconds for an event. Of few events the rarer quantiles are the machine's."""
    return server.document()["metrics"]["timings"]["event.processing.duration"]["p50"]


def clients(server):
    return server.document()["metrics"]["gauges"]["websocket.clients"]["current"]


def stop(server):
    """Within a second, is the promise; one that waits for the stalled never comes to an end."""
    start = time.monotonic()
    status, said = server.stop(signal.SIGTERM)
    assert status == 0, said
    return time.monotonic() - start


def check_losses(server, told):
    values = server.counters()
    assert values["websocket.broadcast.attempt"] == told
    assert values["websocket.broadcast.failure"] > 0
    assert 0 < values["websocket.queue.dropped"] <= STALLED * told
    return values["websocket.queue.dropped"]


async def test_stalled_clients_are_nobody_elses_matter():
    count = handfuls()
    async with contextlib.AsyncExitStack() as stack:
        with Server("stalled", "--control", "--ws-queue", str(QUEUE), websocket=True) as server:
            readers = await connect_readers(server, stack, READERS)
            before = await tell(server, readers, 0, count)
            quiet = median(server)
            assert server.counters()["websocket.queue.dropped"] == 0
            assert (await ask(readers[0], "RESET_METRICS"))[0] == "CONTROL"
            server.sent = 0
            silent = await stall(server, stack, readers)
            most = await tell(server, readers, count, count, silent)
            busy = median(server)
            lost = check_losses(server, count * HANDFUL)
            print(f"  {lost} messages lost by {STALLED} clients; memory {before >> 10} KiB "
                  f"before them, {most >> 10} KiB at most with them; an event takes "
                  f"{1e6 * quiet:.0f} us before them, {1e6 * busy:.0f} us with them")
            if tools.sanitizer == "none":  # a sanitizer keeps what was freed
                assert most - before <= STALLED_BYTES, (before, most)
            # Had the event thread waited for them, this would be seconds.
            assert busy < 50 * max(quiet, 1e-3), (quiet, busy)
            print(f"  stopped in {stop(server):.2f} s")


async def test_stop_says_goodbye_to_those_who_read():
    async with contextlib.AsyncExitStack() as stack:
        with Server("goodbye", "--ws-queue", str(QUEUE), websocket=True) as server:
            readers = await connect_readers(server, stack, 3)
            await stall(server, stack, readers)
            stopping = asyncio.create_task(asyncio.to_thread(stop, server))
            for reader in readers:
                with contextlib.suppress(websockets.ConnectionClosed):
                    await receive(reader)
                await asyncio.wait_for(reader.wait_closed(), PATIENCE)
                assert reader.close_code == 1001
            await stopping


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat"))
