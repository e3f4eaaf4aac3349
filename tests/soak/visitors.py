# SPDX-License-Identifier: MIT
"""WebSocket clients that come and go: polite, stalled, rude, and too many."""
import asyncio
import contextlib
import random
import socket
import struct

import websockets

import client as websocket
from test_strangers import mutated_text

GONE = (OSError, EOFError, asyncio.TimeoutError, websockets.ConnectionClosed)

QUESTIONS = [
    ("GET_METRICS", None, "METRICS"), ("GET_METRICS_SUMMARY", None, "METRICS_SUMMARY"),
    ("GET_PROJECT_INFO", None, "PROJECT_INFO"),
    ("FIND_NODES", {"node_type": "track"}, "NODES"),
    ("FIND_NODES", {"query": "name == Bass"}, "NODES"), ("GET_NODE", {"id": "track_0"}, "NODE")]


class Seats:
    """Whoever has one keeps it until all were given one or refused."""

    def __init__(self, count):
        self.left, self.all_asked = count, asyncio.Event()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.left -= 1
        if self.left == 0:
            self.all_asked.set()


class Visitors:
    """Those of one server's life."""

    def __init__(self, server, seed):
        self.server = server
        self.source = random.Random(seed)
        self.end_is_near = False  # the server's: no connection is expected to last
        self.visits = self.answers = self.refused = 0
        self.wrong = 0  # messages that were surely answered as wrong
        self.maybe_wrong = 0  # more that may have been

    async def one_after_the_other(self, visit, pause, stop):
        while not stop.is_set() and not self.end_is_near:
            await self.attempt(visit())
            await asyncio.sleep(pause * self.source.random())

    async def attempt(self, visit):
        try:
            await visit
            self.visits += 1
        except websockets.InvalidHandshake:  # 503, or cut off in the middle
            self.refused += 1
        except GONE:
            if not self.end_is_near:
                raise

    # --- those who do as they should ---

    async def polite(self):
        async with websocket.connect(self.server) as client:
            await websocket.welcomed(client)
            for kind, payload, answer in self.source.sample(QUESTIONS, 3):
                await self.ask(client, kind, payload, answer)
            if self.source.random() < 0.3:
                await self.be_wrong(client)

    async def ask(self, client, kind, payload, answer):
        """Its answer, among whatever is told meanwhile."""
        number = self.source.randrange(1, 10 ** 9)
        await websocket.say(client, {"type": kind, "request_id": number, "payload": payload or {}})
        while True:
            message = await websocket.receive(client)
            if message.get("request_id") == number:
                assert message["type"] == answer, message
                self.answers += 1
                return

    async def be_wrong(self, client):
        """The answer to a question that follows tells that these were read."""
        for text in ("{bad", "[1]", "{\"type\":\"GET_NODE\",\"payload\":{}}"):
            await websocket.say(client, text)
        await self.ask(client, *QUESTIONS[2])
        self.wrong += 3

    # --- those who do not ---

    async def stalled(self, stop, seconds):
        """Never reads; some leave without a word."""
        try:
            connection = await asyncio.to_thread(websocket.stalled, self.server)
        except AssertionError:  # another answer than the one that makes it a client
            self.refused += 1
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
        if self.source.random() < 0.5:
            reset(connection)
        connection.close()

    async def rude(self):
        how = self.source.choice((self.noise, self.half_open, self.midway, self.not_text,
                                  self.too_long, self.mutated, self.no_websocket))
        await how()

    async def bare(self, sent, wait):
        host, port = self.server.uri.removeprefix("ws://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            await writer.drain()
            if wait:
                await asyncio.wait_for(reader.read(), websocket.PATIENCE)
            else:
                reset(writer.get_extra_info("socket"))
            writer.close()
            await writer.wait_closed()

    async def noise(self):
        await self.bare(self.source.randbytes(self.source.choice((1, 20, 3000))), False)

    async def half_open(self):
        await self.bare(b"GET / HTTP/1.1\r\nHost: x\r\nUpg", False)

    async def no_websocket(self):
        await self.bare(b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", True)

    async def midway(self):
        """Leaves in the middle of a frame."""
        client = await websocket.connect(self.server)
        await websocket.welcomed(client)
        client.transport.write(b"\x81\xfe\x10\x00\0\0\0\0half")
        client.transport.abort()
        await client.close()

    async def not_text(self):
        await self.refused_frame(b"\xff\xfe")

    async def too_long(self):
        await self.refused_frame(b"x" * ((1 << 20) + 1))

    async def refused_frame(self, payload):
        self.maybe_wrong += 1
        async with websocket.connect(self.server) as client:
            await websocket.welcomed(client)
            with contextlib.suppress(websockets.ConnectionClosed, ConnectionError):
                await client.write_frame(True, 1, payload)
                while True:
                    await websocket.receive(client)

    async def mutated(self):
        self.maybe_wrong += 5
        async with websocket.connect(self.server) as client:
            await websocket.welcomed(client)
            for _ in range(5):
                await websocket.say(client, mutated_text(self.source))
            await self.ask(client, *QUESTIONS[2])

    async def crowd(self, count):
        """More than may be clients, all at once: those too many get 503."""
        refused, seats = self.refused, Seats(count)
        await asyncio.gather(*(self.attempt(self.take_a_seat(seats)) for _ in range(count)))
        assert self.refused > refused

    async def take_a_seat(self, seats):
        with seats:
            client = await websocket.connect(self.server)
        await websocket.welcomed(client)
        await seats.all_asked.wait()
        await client.close()

    def check(self, values):
        assert self.wrong <= values["errors.client_message"] <= self.wrong + self.maybe_wrong, \
            (self.wrong, values["errors.client_message"], self.maybe_wrong)
        assert values["websocket.broadcast.attempt"] == \
            values["websocket.broadcast.success"] + values["websocket.broadcast.failure"], values


def reset(connection):
    """Its close is a reset, not an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def newcomers_tree(server):
    async with websocket.connect(server) as client:
        return await websocket.welcomed(client)


