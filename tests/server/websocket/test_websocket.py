#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The WebSocket server behind a host that does what it is told, with clients
that no one here wrote (python3-websockets), and with bytes on bare sockets.

What has to happen is waited for, with a deadline; no case depends on speed.
"""
import asyncio
import contextlib
import inspect
import json
import os
import pathlib
import subprocess
import sys
import traceback

import websockets

PATIENCE = 60  # seconds; a server under a sanitizer is slow, not wrong
SHM = pathlib.Path("/dev/shm")
HOST_PROGRAM = sys.argv[1]


class Host:
    """A running websocket_host; leaves nothing behind."""

    def __init__(self, case, address="127.0.0.1", clients=8, queue=1000, ping_ms=0, pong_ms=0,
                 handshake_ms=0, origins=()):
        self.name = f"test-websocket.{os.getpid()}.{case}"
        numbers = [str(n) for n in (0, clients, queue, ping_ms, pong_ms, handshake_ms)]
        self.log = open(f"/tmp/{self.name}.log", "w+")
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
            os.unlink(self.log.name)
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
        return websockets.connect(self.uri, max_size=None, open_timeout=PATIENCE,
                                  close_timeout=PATIENCE, **options)


async def receive(client):
    return await asyncio.wait_for(client.recv(), PATIENCE)


async def close_code(client):
    """Reads until the server closes; the code it gave."""
    try:
        while True:
            await receive(client)
    except websockets.ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


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
            await eventually(lambda: host.metrics()["clients"] == 1, "connected")
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
