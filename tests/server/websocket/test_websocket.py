#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The WebSocket server behind a host that does what it is told, with clients
that no one here wrote (python3-websockets), and with bytes on bare sockets.

What has to happen is waited for, with a deadline; no case depends on speed.
"""
import asyncio
import base64
import contextlib
import inspect
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import websockets

PATIENCE = 60  # seconds; a server under a sanitizer is slow, not wrong
HOUR_MS = 3600000  # never, where a case is not about it
SHM = pathlib.Path("/dev/shm")
HOST_PROGRAM = sys.argv[1]


class Host:
    """A running websocket_host; leaves nothing behind."""

    def __init__(self, case, address="127.0.0.1", clients=8, queue=1000, ping_ms=HOUR_MS, pong_ms=0,
                 handshake_ms=HOUR_MS, origins=()):
        self.name = f"test-websocket.{os.getpid()}.{case}"
        numbers = [str(n) for n in (0, clients, queue, ping_ms, pong_ms, handshake_ms)]
        self.log = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(
            [HOST_PROGRAM, self.name, address, *numbers, *origins], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        ready = self.process.stdout.readline().split()
        assert ready[:1] == ["ready"], self.said()
        self.address, port = ready[1].rsplit(":", 1)
        self.port = int(port)
        self.uri = f"ws://{ready[1]}/"

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            status = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.stdout.close()
            said = self.said()
            self.log.close()
            for path in SHM.glob(f"astshm.{self.name}*"):
                path.unlink(missing_ok=True)
        assert failed or status == 0, (status, said)
        assert "Sanitizer" not in said, said

    def said(self):
        return pathlib.Path(self.log.name).read_text()

    def tell(self, command):
        """Does it; returns the lines it printed."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "ok\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"gone: {self.said()}")

    def metrics(self):
        return json.loads(self.tell("metrics")[0])

    def connect(self, **options):
        # With the library's bound of unread messages a client that leaves some
        # never reads the close frame behind them.
        return websockets.connect(self.uri, max_size=None, max_queue=None, open_timeout=PATIENCE,
                                  close_timeout=PATIENCE, **options)


async def receive(client):
    return await asyncio.wait_for(client.recv(), PATIENCE)


async def send_until_closed(client, message):
    """More than the server takes: it may close before all is sent."""
    with contextlib.suppress(websockets.ConnectionClosed):
        await client.send(message)


async def close_code(client):
    """Reads until the server closes; the code it gave."""
    try:
        while True:
            await receive(client)
    except websockets.ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


class Bare:
    """A client of bare bytes, to do what no library would."""

    def __init__(self, host, receive_buffer=None):
        family = socket.AF_INET6 if host.address.startswith("[") else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((host.address.strip("[]"), host.port))
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def request(self, *headers, line="GET / HTTP/1.1"):
        self.socket.sendall("\r\n".join([line, "Host: x", *headers, "", ""]).encode())

    def ask(self, *headers, **changed):
        """Asks to become a WebSocket; the status of the answer."""
        asked = {"Upgrade": "websocket", "Connection": "Upgrade",
                 "Sec-WebSocket-Version": "13",
                 "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(), **changed}
        self.request(*(f"{key}: {value}" for key, value in asked.items() if value), *headers)
        return self.status()

    def status(self):
        """Of an HTTP answer; None: closed without one."""
        try:
            first = self.file.readline().split()
            while self.file.readline() not in (b"\r\n", b""):
                pass
        except ConnectionResetError:
            return None
        return int(first[1]) if first else None

    def send(self, opcode, payload, final=True, masked=True, length=None):
        length = len(payload) if length is None else length
        head = bytes([opcode | (0x80 if final else 0)])
        bit = 0x80 if masked else 0
        if length < 126:
            head += bytes([bit | length])
        elif length < 65536:
            head += struct.pack(">BH", bit | 126, length)
        else:
            head += struct.pack(">BQ", bit | 127, length)
        mask = bytes([1, 2, 3, 4]) if masked else b""
        if masked:
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(head + mask + payload)

    def frame(self):
        """(final, opcode, payload) of the next one; None: closed."""
        try:
            head = self.file.read(2)
            if len(head) < 2:
                return None
            length = head[1]
            if length >= 126:
                length = int.from_bytes(self.file.read(2 if length == 126 else 8), "big")
            payload = self.file.read(length)
        except ConnectionResetError:
            return None
        return (bool(head[0] & 0x80), head[0] & 0x0f, payload) if len(payload) == length else None

    def close_code(self):
        """Reads until the server closes; the code it gave."""
        while (frame := self.frame()) is not None:
            if frame[1] == CLOSE:
                return int.from_bytes(frame[2][:2], "big")
        return None

    def is_closed(self):
        """Reads until the connection ends."""
        while self.frame() is not None:
            pass
        return True


SMALL_BUFFER = 32768
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def ready(host, **options):
    """A bare client that was welcomed."""
    client = Bare(host, **options)
    assert client.ask() == 101
    assert client.frame()[2].startswith(b"welcome ")
    return client


async def eventually(condition, what):
    for _ in range(PATIENCE * 100):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


# --- messages -------------------------------------------------------------

async def test_welcome_comes_before_broadcasts():
    with Host("welcome") as host:
        host.tell("broadcast nobody hears this")
        host.tell("hold")
        async with host.connect() as client:
            await eventually(lambda: host.metrics()["held"] == 1, "connected")
            host.tell("broadcast too early for the client")
            host.tell("release")
            host.tell("broadcast first")
            assert (await receive(client)).startswith("welcome 1 ")
            assert await receive(client) == "first"
        metrics = host.metrics()
        assert metrics["attempt"] == metrics["success"] == 3, metrics
        assert metrics["failure"] == metrics["dropped"] == 0, metrics
        assert metrics["sizes"] == 3, metrics
        assert metrics["largest"] == len("too early for the client"), metrics


async def test_messages_keep_their_order():
    with Host("order", queue=20000) as host:
        async with host.connect() as one, host.connect() as two:
            for client in (one, two):
                await receive(client)
            host.tell("burst 3000 0")
            for client in (one, two):
                for number in range(3000):
                    assert await receive(client) == f"{number} "
        assert host.metrics()["success"] == 3000


async def test_every_length_is_framed_right():
    # Where headers grow, and where messages stop sharing a write.
    sizes = [0, 125, 126, 127, 65535, 65536, 1, 65525, 65526, 65527, 70, 70000, 2, 1 << 20, 9]
    with Host("lengths") as host, ready(host) as client:
        host.tell("hold")
        for size in sizes:
            host.tell(f"burst 3 {size}")
        for size in sizes:
            for number in range(3):
                text = b"%d " % number
                assert client.frame() == (True, TEXT, text + b"x" * (size - len(text))), size
        assert host.metrics()["success"] == 3 * len(sizes)


async def test_stop_says_goodbye():
    with Host("goodbye") as host:
        async with host.connect() as client:
            await receive(client)
            host.tell("burst 100 1000")
            closing = asyncio.create_task(close_code(client))
            await asyncio.to_thread(host.tell, "stop")
            assert await closing == 1001
        metrics = host.metrics()
        assert metrics["clients"] == 0
        assert metrics["success"] == 100
        host.tell("broadcast after the stop")
        metrics = host.metrics()
        assert metrics["attempt"] == metrics["success"] + metrics["failure"] == 101, metrics


# --- what clients send ------------------------------------------------------

async def test_what_clients_send_reaches_the_host_whole():
    with Host("received") as host:
        async with host.connect() as client:
            await receive(client)
            for sent in ("hello", "", "x" * 125, "y" * 126, "z" * 4096, "a" * 65536,
                         "\u00e4" * (1 << 19)):
                await client.send(sent)
                assert await receive(client) == "loopback " + sent, len(sent)
            await client.send(["frag", "men", "", "ted"])
            assert await receive(client) == "loopback fragmented"
            await client.send(b"binary")
            assert await receive(client) == "loopback binary"
            await asyncio.wait_for(await client.ping(b"payload"), PATIENCE)


async def test_fragments_split_characters_and_control_frames_interleave():
    with Host("fragments") as host, ready(host) as client:
        text = "gr\u00f6\u00dfe \U0001f3b5".encode()
        for i, byte in enumerate(text):
            client.send(TEXT if i == 0 else CONTINUATION, bytes([byte]),
                        final=i == len(text) - 1)
            if i == 2:
                client.send(PING, b"ping")
                assert client.frame() == (True, PONG, b"ping")
                client.send(PONG, b"\xff unasked")
        assert client.frame() == (True, TEXT, b"loopback " + text)


async def test_first_message_may_come_with_the_handshake():
    with Host("early") as host, Bare(host) as client:
        request = ("GET /any/path?x=y HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n"
                   "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode()
        client.socket.sendall(request + b"\x81\x85\0\0\0\0early")
        assert client.status() == 101
        frames = [client.frame()[2] for _ in range(2)]
        assert sorted(frames) == [b"loopback early", b"welcome 1 "], frames


async def test_too_long_a_message_is_1009():
    with Host("long") as host:
        async with host.connect() as client:
            await receive(client)
            await client.send("x" * (1 << 20))
            assert len(await receive(client)) == len("loopback ") + (1 << 20)
            await send_until_closed(client, "x" * ((1 << 20) + 1))
            assert await close_code(client) == 1009
        async with host.connect() as client:
            await receive(client)
            await send_until_closed(client, ["x" * 600000, "y" * 600000])
            assert await close_code(client) == 1009
        # Announced, never sent: the header says enough.
        with ready(host) as client:
            client.send(TEXT, b"x", length=1 << 62)
            assert client.close_code() == 1009
        with ready(host) as client:
            for _ in range(3):
                client.send(TEXT if _ == 0 else CONTINUATION, b"x" * 400000, final=False)
            assert client.close_code() == 1009
        assert host.metrics()["refused"] == 4


async def test_text_that_is_not_utf8_is_1007():
    with Host("utf8") as host:
        for wrong in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"ok \xc0\x80", b"\xf4\x90\x80\x80"):
            with ready(host) as client:
                client.send(TEXT, wrong)
                assert client.close_code() == 1007, wrong
        with ready(host) as client:
            client.send(TEXT, b"\xc3", final=False)
            client.send(CONTINUATION, b"(")
            assert client.close_code() == 1007
        with ready(host) as client:
            client.send(BINARY, b"\xff")
            assert client.frame() == (True, TEXT, b"loopback \xff")
        assert host.metrics()["refused"] == 6


async def test_broken_frames_close_one_connection_alone():
    broken = {
        "reserved bit": b"\xc1\x80\0\0\0\0", "reserved opcode": b"\x83\x80\0\0\0\0",
        "fragmented control": b"\x09\x80\0\0\0\0", "long control": b"\x89\xfe\x01\x00",
        "continuation of nothing": b"\x80\x80\0\0\0\0",
        "text inside a message": b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b",
        "top bit of the length": b"\x81\xff\x80" + bytes(11),
    }
    with Host("broken") as host:
        async with host.connect() as witness:
            await receive(witness)
            for what, data in broken.items():
                with ready(host) as client:
                    client.socket.sendall(data)
                    code = client.close_code()
                    assert code == 1002 or "length" in what or "long" in what, (what, code)
            with ready(host) as client:
                client.send(CLOSE, struct.pack(">H", 1000) + b"bye")
                assert client.close_code() == 1000
            host.tell("broadcast still here")
            assert await receive(witness) == "still here"
            await eventually(lambda: host.metrics()["clients"] == 1, "the others are gone")


async def test_random_bytes_do_no_harm():
    generator = random.Random(20261126)
    with Host("random", clients=4) as host:
        async with host.connect() as witness:
            await receive(witness)
            for round in range(300):
                noise = generator.randbytes(generator.choice((1, 2, 14, 200, 5000)))
                with Bare(host) as client, contextlib.suppress(OSError):
                    if round % 2:
                        client.ask()
                    client.socket.sendall(noise)
                    client.socket.shutdown(socket.SHUT_WR)
                    client.file.read()
            host.tell("broadcast still here")
            assert await receive(witness) == "still here"
            await eventually(lambda: host.metrics()["clients"] == 1, "the others are gone")


# --- who may connect --------------------------------------------------------

async def test_pages_of_strangers_are_refused():
    allowed = ("http://localhost", "https://LocalHost:8080", "http://127.0.0.1:5173",
               "http://127.9.8.7", "http://[::1]:3000", "https://app.example.org")
    refused = ("http://evil.example", "null", "", "http://localhost.evil.example", "file://",
               "http://127.0.0.1.evil.example", "http://localhost:80@evil.example",
               "http://[::2]", "https://app.example.org:444", "http://app.example.org",
               "http://128.0.0.1", "localhost", "http://" + "x" * 1000)
    start = time.monotonic()
    with Host("origins", origins=["https://app.example.org"]) as host:
        for origin in allowed:
            with Bare(host) as client:
                assert client.ask(f"Origin: {origin}") == 101, origin
        for origin in refused:
            with Bare(host) as client:
                expected = 403 if origin else 101  # an empty one is as good as none
                assert client.ask(f"Origin: {origin}") == expected, origin
        with Bare(host) as client:
            assert client.ask("Origin: http://localhost",
                              "Origin: http://evil.example") == 403
        # Five in ten seconds.
        windows = 1 + (time.monotonic() - start) // 10
        assert 5 <= host.said().count("refused a page of origin") <= 5 * windows, host.said()


async def test_too_many_clients_get_503():
    with Host("many", clients=3) as host:
        async with host.connect() as one, host.connect(), host.connect():
            for _ in range(3):
                with Bare(host) as client:
                    assert client.ask() == 503
            assert host.metrics()["clients"] == 3
            await one.close()
            await eventually(lambda: host.metrics()["clients"] == 2, "one left")
            async with host.connect() as again:
                await receive(again)


def connect_idle(host, stack):
    """All that there is room for, of which one has begun to ask."""
    idle = [stack.enter_context(Bare(host)) for _ in range(18)]
    idle[0].socket.sendall(b"GET / HTTP/1.1\r\nHost: ")
    return idle


async def test_idle_connections_are_bounded():
    with Host("idle", clients=2) as host, contextlib.ExitStack() as stack:
        connect_idle(host, stack)
        with Bare(host) as more:
            assert more.status() == 503


async def test_idle_connections_are_dropped():
    with Host("dropped", clients=2, handshake_ms=500) as host, contextlib.ExitStack() as stack:
        for client in connect_idle(host, stack):
            assert client.is_closed()
        # There is room again; though this one, if it is slow, is dropped as well.
        with Bare(host) as client:
            assert client.ask() in (101, None)


async def test_a_slow_handshake_is_dropped():
    with Host("trickle", handshake_ms=500) as host, Bare(host) as client:
        async def trickle():
            with contextlib.suppress(OSError):
                for byte in b"GET / HTTP/1.1\r\nHost: " + b"x" * 100000:
                    client.socket.sendall(bytes([byte]))
                    await asyncio.sleep(0.01)

        sending = asyncio.create_task(trickle())
        assert await asyncio.to_thread(client.is_closed)
        await sending


async def test_other_requests_are_answered_shortly():
    with Host("http") as host:
        with Bare(host) as client:
            client.request()
            assert client.status() == 426
            assert client.file.read() == b"This is a WebSocket server.\n"
        for changed, expected in (
                ({"Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}, (426,)),
                ({"Upgrade": "telnet"}, (403,)),
                ({"Sec-WebSocket-Version": "8"}, (400,)),
                ({"Sec-WebSocket-Version": None}, (400,)),
                ({"Sec-WebSocket-Key": None}, (400,)),
                ({"Sec-WebSocket-Key": "A" * 300}, (None,)),
                ({"Connection": None}, (None,)),
                ({"Sec-WebSocket-Protocol": "one, two"}, (101,)),
                ({"X-Long": "x" * 10000}, (None, 400, 431))):
            with Bare(host) as client:
                assert client.ask(**changed) in expected, changed
        for line in ("POST / HTTP/1.1", "HEAD / HTTP/1.1", "CONNECT x:1 HTTP/1.1",
                     "PRI * HTTP/2.0", "nonsense", "GET", "\0\0\0\0"):
            with Bare(host) as client, contextlib.suppress(OSError):
                client.request("Content-Length: 5", line=line)
                client.socket.shutdown(socket.SHUT_WR)
                assert client.status() in (None, 426, 400, 403, 404, 405), line
        async with host.connect(subprotocols=["one", "two"]) as client:
            await receive(client)
            assert client.subprotocol == "one"
        async with host.connect() as client:
            await receive(client)
            assert client.subprotocol is None
            assert client.extensions == []


async def test_no_descriptors_left_pauses_accepting():
    with Host("descriptors") as host:
        async with host.connect() as client:
            await receive(client)
            host.tell("limit 3")
            with Bare(host) as waiting:
                await eventually(lambda: "accept: Too many open files" in host.said(), "noticed")
                host.tell("broadcast still here")
                assert await receive(client) == "still here"
                host.tell("limit 1024")
                assert waiting.ask() == 101


async def test_ipv6_is_listened_on():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        print(f"# no IPv6 here: {error}")
        return
    with Host("ipv6", address="::1") as host:
        assert host.address == "[::1]"
        async with host.connect() as client:
            await receive(client)
            await client.send("x")
            assert await receive(client) == "loopback x"


async def test_an_address_in_use_is_an_error():
    with Host("first") as host:
        name = f"test-websocket.{os.getpid()}.second"
        done = await asyncio.to_thread(
            subprocess.run, [HOST_PROGRAM, name, "127.0.0.1", str(host.port), *"880000"[:5]],
            capture_output=True, text=True, timeout=PATIENCE)
        for path in SHM.glob(f"astshm.{name}*"):
            path.unlink()
        assert done.returncode == 1, done
        assert f"websocket 127.0.0.1:{host.port}: Address already in use" in done.stderr


# --- slow and silent clients ------------------------------------------------

async def test_silent_peers_are_1011_and_others_stay():
    with Host("silent", ping_ms=200, pong_ms=8000) as host:
        async with host.connect(ping_interval=None) as client:
            await receive(client)

            def stay_silent():
                with Bare(host) as silent:
                    assert silent.ask() == 101
                    # The welcome may be the later of the two.
                    while (frame := silent.frame()) != (True, PING, b"ast"):
                        assert frame[2].startswith(b"welcome "), frame
                    assert silent.close_code() == 1011

            await asyncio.to_thread(stay_silent)
            # By now this one has answered a ping or two.
            host.tell("broadcast still here")
            assert await receive(client) == "still here"


async def test_a_slow_client_loses_alone_and_is_welcomed_again():
    with Host("slow", queue=100) as host:
        async with host.connect() as quick:
            await receive(quick)
            with ready(host, receive_buffer=SMALL_BUFFER) as slow:
                for number in range(40):
                    host.tell(f"broadcast {number} " + "x" * 4000)
                    host.tell("burst 50 20000")
                    for _ in range(51):
                        await receive(quick)
                metrics = host.metrics()
                assert metrics["attempt"] == 40 * 51
                assert metrics["success"] + metrics["failure"] == 40 * 51
                assert metrics["dropped"] == metrics["failure"] > 0
                seen = 0
                while not (frame := slow.frame())[2].startswith(b"welcome 3 "):
                    seen += 1
                assert frame[:2] == (True, TEXT)
                assert seen == metrics["success"], (seen, metrics)
                host.tell("broadcast in step again")
                assert slow.frame() == (True, TEXT, b"in step again")
                assert await receive(quick) == "in step again"


async def test_a_flood_is_accounted_for():
    with Host("flood", queue=500) as host:
        async with host.connect() as client:
            assert (await receive(client)).startswith("welcome 1 ")
            await asyncio.to_thread(host.tell, "burst 30000 300")
            await eventually(lambda: (m := host.metrics())["success"] + m["failure"] == 30000 and
                             m["dropped"] == m["failure"], "all distributed")
            metrics = host.metrics()
            assert metrics["attempt"] == 30000
            seen, welcomes = [], 0
            while len(seen) < metrics["success"]:
                text = await receive(client)
                if text.startswith("welcome"):
                    welcomes += 1
                else:
                    seen.append(int(text.split()[0]))
            assert seen == sorted(set(seen))
            # The welcome for the last loss has come, unless nothing came through after it.
            if metrics["failure"] and (welcomes == 0 or seen[-1] != 29999):
                host.tell("broadcast later")
                # Before or after what is in step again.
                assert "welcome" in {(await receive(client)).split()[0] for _ in range(2)}


async def test_a_stalled_client_holds_few_bytes():
    with Host("bytes", queue=100000) as host, ready(host, receive_buffer=SMALL_BUFFER) as stalled:
        host.tell("burst 100 1000000")
        # 16 MiB wait in the queue, the rest is what the socket took.
        await eventually(lambda: (m := host.metrics())["success"] + m["dropped"] == 100, "all")
        metrics = host.metrics()
        assert 16 <= metrics["success"] <= 20, metrics
        assert metrics["failure"] == metrics["dropped"], metrics
        for number in range(3):
            frame = stalled.frame()
            assert frame[:2] == (True, TEXT) and frame[2].startswith(b"%d " % number)
            assert len(frame[2]) == 1000000


async def test_a_message_that_could_not_be_made_is_made_up_for():
    with Host("none") as host:
        async with host.connect() as client:
            assert (await receive(client)).startswith("welcome 1 ")
            host.tell("none")
            assert (await receive(client)).startswith("welcome 2 ")
        metrics = host.metrics()
        assert metrics["attempt"] == metrics["failure"] == metrics["dropped"] == 1, metrics


async def test_a_client_that_cannot_be_welcomed_is_1011():
    with Host("unwelcome") as host:
        host.tell("welcome -1")
        async with host.connect() as client:
            assert await close_code(client) == 1011


async def test_answers_share_the_queue_and_losing_one_is_no_loss_of_step():
    def ask_without_reading(host):
        with ready(host, receive_buffer=SMALL_BUFFER) as client:
            for _ in range(300):
                client.send(TEXT, b"x" * 10000)
            client.send(PING, b"all sent")
            answers = 0
            while (frame := client.frame()) != (True, PONG, b"all sent"):
                assert frame[2].startswith(b"loopback x"), frame[2][:20]
                answers += 1
            # A PONG goes before the answers that wait, which leave no room for a broadcast.
            while answers < 300 - host.metrics()["dropped"]:
                assert client.frame()[2].startswith(b"loopback x")
                answers += 1
            host.tell("broadcast the end")
            assert client.frame() == (True, TEXT, b"the end")
            return answers

    with Host("answers", queue=20) as host:
        answers = await asyncio.to_thread(ask_without_reading, host)
        metrics = host.metrics()
        assert metrics["dropped"] == 300 - answers > 0, (answers, metrics)
        assert metrics["success"] == 1


async def test_huge_messages_arrive_whole():
    with Host("huge") as host:
        host.tell("welcome 20000000")
        async with host.connect() as client:
            assert len(await receive(client)) == 20000000
            host.tell("welcome 0")
            host.tell("burst 3 2000000")
            host.tell("burst 1 17000000")
            for size in (2000000, 2000000, 2000000, 17000000):
                # The last one is more than a queue holds: it waits until that is empty.
                text = await receive(client)
                if text.startswith("welcome"):
                    break
                assert len(text) == size
            with ready(host) as bare:
                host.tell("burst 1 %d" % (1 << 20))
                assert bare.frame()[0]
                host.tell("burst 1 %d" % ((1 << 20) + 1))
                frames = [bare.frame() for _ in range(17)]
                assert [frame[0] for frame in frames] == [False] * 16 + [True]
                assert sum(len(frame[2]) for frame in frames) == (1 << 20) + 1


async def test_stop_does_not_wait_for_stalled_clients():
    with Host("stalled") as host, contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(ready(host, receive_buffer=SMALL_BUFFER)) for _ in range(4)]
        stack.enter_context(Bare(host))  # nothing said
        async with host.connect() as polite:
            await receive(polite)
            host.tell("burst 20 700000")
            for _ in range(20):
                await receive(polite)
            closing = asyncio.create_task(close_code(polite))
            await asyncio.wait_for(asyncio.to_thread(host.tell, "stop"), PATIENCE)
            assert await closing == 1001
        assert host.metrics()["clients"] == 0
        for client in stalled:
            assert client.is_closed()


async def test_a_hundred_clients_come_and_go():
    async def visit(host, number):
        async with host.connect() as client:
            await receive(client)
            await client.send(f"visitor {number}")
            while await receive(client) != f"loopback visitor {number}":
                pass

    with Host("hundred", clients=128) as host:
        for _ in range(2):
            visits = [asyncio.create_task(visit(host, number)) for number in range(100)]
            for _ in range(20):
                await asyncio.to_thread(host.tell, "burst 10 100")
            await asyncio.gather(*visits)
        await eventually(lambda: (m := host.metrics())["clients"] == 0 and
                         m["success"] + m["failure"] == 400, "all have left, all is distributed")
        assert host.metrics()["attempt"] == 400


def main():
    cases = [(name, case) for name, case in globals().items()
             if name.startswith("test_") and inspect.iscoroutinefunction(case)]
    wanted = sys.argv[2:]
    failures = 0
    for name, case in cases:
        if wanted and name not in wanted:
            continue
        try:
            asyncio.run(case())
            print("ok", name, flush=True)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print("not ok", name, flush=True)
            failures += 1
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
