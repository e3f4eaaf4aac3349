#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who gets in at ast-server's two doors, and what becomes of those who push.

That no path of a client's opens a file is test_paths.py's.
"""
import asyncio
import contextlib
import ctypes
import fcntl
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import time

import websockets

import client as websocket
import harness
import osc
from client import receive, say, welcomed
from harness import PATIENCE, READY, SHM, Server, log_windows, run, tools, wait_until, workplace

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
LISTEN = "0A"  # of TCP, in /proc/net
HANDSHAKES_SPARE = 16


# --- where it listens -------------------------------------------------------------------

def own_network():
    """In the child: a network with nothing but loopback. Nobody else has its ports."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


@contextlib.contextmanager
def in_own_network(case, *arguments):
    """A server with no more options than those; None where that is not permitted."""
    log = pathlib.Path(workplace.name) / f"{case}.log"
    name = f"test-server.{os.getpid()}.{case}"
    try:
        with open(log, "w", encoding="utf-8") as file:
            process = subprocess.Popen([tools.server, "--metrics", name, *arguments], stderr=file,
                                       stdout=subprocess.DEVNULL, preexec_fn=own_network)
    except subprocess.SubprocessError:
        print("  (no network of our own is permitted here)")
        yield None
        return
    try:
        wait_until(lambda: READY.search(log.read_text()) or process.poll() is not None, "start")
        assert process.poll() is None, log.read_text()
        yield process.pid, log.read_text()
    finally:
        process.terminate()
        status = process.wait(PATIENCE)
        for path in SHM.glob(f"astshm.{name}*"):
            path.unlink()
    assert status == 0, log.read_text()


def address_of(text):
    """As /proc/net writes it: words of the machine's byte order in hexadecimal."""
    host, port = text.split(":")
    words = [int(host[at:at + 8], 16) for at in range(0, len(host), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)), int(port, 16)


def listening(process):
    """{(protocol, host, port)} of everything in the process's network that takes something."""
    found = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6", "udplite", "raw", "raw6"):
        table = pathlib.Path(f"/proc/{process}/net/{protocol}")
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            local, state = line.split()[1], line.split()[3]
            if protocol[:3] != "tcp" or state == LISTEN:
                found.add((protocol, *address_of(local)))
    return found


def test_loopback_alone_is_listened_on_by_default():
    with in_own_network("default") as started:
        if started:
            assert listening(started[0]) == {("udp", "127.0.0.1", 9002),
                                             ("tcp", "127.0.0.1", 8765)}
            assert "warning" not in started[1], started[1]


def test_what_is_named_is_listened_on_and_nothing_else():
    with in_own_network("named", "--no-websocket", "--udp", "127.3.4.5:7000") as started:
        if started:
            assert listening(started[0]) == {("udp", "127.3.4.5", 7000)}
    with in_own_network("wide", "--allow-remote", "--udp", "0.0.0.0:7000", "--websocket",
                        "127.0.0.1:7001") as started:
        if started:
            assert listening(started[0]) == {("udp", "0.0.0.0", 7000),
                                             ("tcp", "127.0.0.1", 7001)}


# Some of these are how a resolver may write an address.
REMOTE = ["0.0.0.0", "[::]", "192.0.2.1", "[2001:db8::1]", "0", "3221225985", "0xc0000201",
          "[::ffff:192.0.2.1]", "[::ffff:0.0.0.0]", "[fe80::1]", "255.255.255.255", "128.0.0.1",
          "126.255.255.255"]
LOOPBACK = ["127.0.0.1", "localhost", "127.255.255.254", "127.1", "0x7f000001"]


def test_other_addresses_are_refused_without_allow_remote():
    name = f"test-server.{os.getpid()}.refused"
    for host in REMOTE:
        for door, other in (("--udp", ["--no-websocket"]),
                            ("--websocket", ["--udp", "127.0.0.1:0"])):
            done = run(door, f"{host}:0", *other, "--metrics", name)
            assert done.returncode == 2 and done.stdout == "", (door, host, done)
            assert re.search(r"^ast-server: error: " + re.escape(host.strip("[]")) +
                             " is no loopback address: that needs --allow-remote$",
                             done.stderr, re.M), (door, host, done.stderr)
            assert "ready" not in done.stderr
            assert not list(SHM.glob(f"astshm.{name}*"))


def test_every_way_to_write_loopback_is_taken():
    for number, host in enumerate(LOOPBACK):
        with Server(f"loopback-{number}", address=f"{host}:0") as server:
            assert server.host.startswith("127."), server.host
            assert "other machines" not in server.said()


def test_a_remote_door_is_named_in_the_log():
    for level, warned in (("warning", True), ("error", False)):
        with Server(f"remote-{level}", "--allow-remote", "--log-level", level, "--websocket",
                    "0.0.0.0:0", address="0.0.0.0:0", websocket=True) as server:
            doors = {f"udp 0.0.0.0:{server.port}",
                     "websocket " + server.uri.removeprefix("ws://").rstrip("/")}
            warnings = {f"ast-server: warning: {door} can be reached from other machines"
                        for door in doors}
            assert all(" 0.0.0.0:" in door for door in doors), doors
            # The line that says where it listens is always there.
            assert all(door in server.lines[-1] for door in doors), server.lines
            assert (warnings <= set(server.lines)) == warned, server.lines
    with Server("allowed", "--allow-remote", websocket=True) as server:
        assert "warning" not in server.said(), server.said()


# --- how much -----------------------------------------------------------------------------

def bare(server, sent=b""):
    host, port = server.uri.removeprefix("ws://").rstrip("/").split(":")
    connection = socket.create_connection((host, int(port)), PATIENCE)
    connection.sendall(sent)
    return connection


def answer(connection):
    """All that it is sent until it is closed."""
    text = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            text += piece
    return text


async def test_more_clients_than_allowed_are_refused_and_logged():
    start = time.monotonic()
    with Server("clients", "--ws-clients", "3", websocket=True) as server:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await welcomed(await stack.enter_async_context(websocket.connect(server)))
            for _ in range(50):
                try:
                    async with websocket.connect(server):
                        raise AssertionError("a fourth client")
                except websockets.InvalidStatusCode as refused:
                    assert refused.status_code == 503
            refusals = server.said().count("refused a client, 3 are connected")
            assert 5 <= refusals <= 5 * log_windows(start), refusals
        await websocket.eventually(
            lambda: server.document()["metrics"]["gauges"]["websocket.clients"]["current"] == 0,
            "they left")
        async with websocket.connect(server) as client:
            await welcomed(client)


def ended(connections, seconds):
    """Those that the server closed, or answered first."""
    return select.select(connections, [], [], seconds)[0]


def open_until_one_is_refused(server, stack, room):
    """Those that are open then. The first ones may be over before there are enough of them."""
    open_now = []
    for number in range(20 * room):
        begun = b"GET / HTTP/1.1\r\nHo" if number < room // 2 else b""
        open_now.append(stack.enter_context(bare(server, begun)))
        for each in ended(open_now, 0.02):
            open_now.remove(each)
            if said := answer(each):
                assert said.startswith(b"HTTP/1.1 503 ") and number >= room, (number, said)
                gone = ended(open_now, 0)
                return [each for each in open_now if each not in gone]
    raise AssertionError("no limit")


def test_connections_without_a_handshake_are_few_and_short():
    """At the times that are the defaults: whoever says nothing, or half of it."""
    room = 2 + HANDSHAKES_SPARE
    with Server("half-open", "--ws-clients", "2", websocket=True) as server:
        with contextlib.ExitStack() as stack:
            open_now = open_until_one_is_refused(server, stack, room)
            assert len(open_now) <= room
            for connection in open_now:
                assert not answer(connection).startswith(b"HTTP/1.1 101"), "no handshake"
        with bare(server, websocket.UPGRADE.format(host="x").encode()) as connection:
            assert connection.recv(12) == b"HTTP/1.1 101"


async def test_a_message_of_a_mebibyte_is_taken_and_no_more():
    with Server("long", websocket=True) as server:
        frame = b'{"request_id":1,"x":"%s"}'
        room = (1 << 20) - len(frame % b"")
        async with websocket.connect(server) as client:
            await welcomed(client)
            await say(client, (frame % (b"x" * room)).decode())
            assert (await receive(client))["type"] == "ACK"
            with contextlib.suppress(websockets.ConnectionClosed):  # before all is sent
                await say(client, (frame % (b"x" * (room + 1))).decode())
            await asyncio.wait_for(client.wait_closed(), PATIENCE)
            assert client.close_code == 1009
        assert server.counters()["errors.client_message"] == 1


def padded(size):
    """A good event whose name makes it so long."""
    short = len(osc.event(0, "/live/track/renamed", 0, ""))
    datagram = osc.event(0, "/live/track/renamed", 0, "x" * (size - short))
    assert len(datagram) == size
    return datagram


def test_a_datagram_of_4096_bytes_is_taken_and_no_more():
    with Server("datagrams") as server:
        server.send(padded(4096))
        server.settle(1)
        assert server.counters()["events.processed"] == 1
        for size in (4100, 65504):
            server.send(padded(size))
        server.settle()
        values = server.counters()
        assert values["udp.parse.error"] == 2 and values["events.received"] == 1
        assert "malformed datagram: more than 4096 bytes" in server.said()


# --- what is said of it --------------------------------------------------------------------

def flood():
    """As many as one second may bring; fewer where each look at the counters takes long."""
    return 20000 if tools.sanitizer == "none" else 2000


def test_a_flood_of_bad_datagrams_is_a_few_lines_and_its_size():
    """Told once its ten seconds are over, for which the long form waits, or at the end."""
    start = time.monotonic()
    with Server("bad", "--udp-buffer", "16777216") as server:
        for _ in range(flood()):
            server.send(b"bad")
        server.settle()
        if tools.heavy:
            wait_until(lambda: told(server) == flood(), "all are told of")
            server.send(b"bad")
            wait_until(lambda: told(server) == flood() + 1, "one more")
        status, said = server.stop()
        assert status == 0 and told(server) == server.sent, said
        assert re.search(r"^ast-server: warning: malformed datagrams: \d+ more in [\d.]+ s, "
                         "not shown$", said, re.M), said
        # Five, and how many more; a few others.
        assert len(said.splitlines()) < 20 * log_windows(start), said


def told(server):
    """Bad datagrams that the log has told of, each by a line or in a number."""
    said = server.said()
    numbers = re.findall(r"malformed datagrams: (\d+) more in", said) + \
        re.findall(r"malformed datagram: .* \((\d+) more not shown\)", said)
    return said.count("malformed datagram: ") + sum(map(int, numbers))


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat"))
