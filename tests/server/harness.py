# SPDX-License-Identifier: MIT
"""A running ast-server for the tests that talk to it over its wires.

Senders wait for the server (udp.packet.received in the segment) before they
send more than the socket and the queue hold, so that no case depends on speed.
"""
import argparse
import asyncio
import contextlib
import inspect
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import make_set

PATIENCE = 120  # seconds; a server under a sanitizer is slow, not wrong
BURST = 200  # datagrams in flight: less than the smallest receive buffer holds
SHM = pathlib.Path("/dev/shm")
READY = re.compile(r"^ast-server: ready, udp (\S+):(\d+), websocket (\S+), metrics (.*)$", re.M)
RESULTS = ("events.processed", "events.unhandled", "errors.event_processing",
           "events.ignored.no_ast", "events.ignored.invalid", "events.ignored.no_target")

workplace = tempfile.TemporaryDirectory()
tools = argparse.Namespace()  # filled by main()


def small_set():
    """Two tracks with a device each, a return, the master; three scenes."""
    path = pathlib.Path(workplace.name) / "small.als"
    if not path.exists():
        tracks = [make_set.track("MidiTrack", f"Track {at}", devices=[make_set.tag("Eq8")])
                  for at in range(2)]
        make_set.write(path, make_set.live_set(
            [*tracks, make_set.track("ReturnTrack", "Return")],
            [make_set.scene(at, f"Scene {at}") for at in range(3)]))
    return path


def wait_until(condition, what):
    """The looks take at most a third of the time: the rest is for what is waited for."""
    end = time.monotonic() + PATIENCE
    start = time.monotonic()
    while not condition():
        now = time.monotonic()
        assert now < end, f"never happened: {what}"
        time.sleep(max(0.005, 2 * (now - start)))
        start = time.monotonic()


class Server:
    """A running ast-server; leaves nothing behind, and must stop without complaint."""

    def __init__(self, case, *arguments, address="127.0.0.1:0", metrics=True, loaded=True,
                 websocket=False, environment=None, prefix=()):
        self.name = f"test-server.{os.getpid()}.{case}"
        self.log = pathlib.Path(workplace.name) / f"{case}.log"
        doors = ["--websocket", "127.0.0.1:0"] if websocket else ["--no-websocket"]
        named = ["--metrics", self.name] if metrics else []
        files = [small_set()] if loaded is True else [loaded] if loaded else []
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*prefix, tools.server, "--udp", address, *doors, *named, *arguments, *files],
                stderr=log, stdout=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})})
        ready = self.wait_ready()
        self.lines = self.said().splitlines()
        self.host, self.port, self.segment = ready[1], int(ready[2]), ready[4]
        self.uri = f"ws://{ready[3]}/"
        family = socket.AF_INET6 if self.host.startswith("[") else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.sent = 0

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self):
        wait_until(lambda: READY.search(self.said()) or self.process.poll() is not None, "start")
        found = READY.search(self.said())
        assert found, f"not ready: {self.said()}"
        return found

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        self.socket.close()
        running = self.process.poll() is None
        try:
            if running and not failed:
                status, said = self.stop()
                assert status == 0, (status, said)
        finally:
            self.process.kill()
            self.process.wait()
            for path in SHM.glob(f"astshm.{self.name}*"):
                path.unlink(missing_ok=True)
            if failed:
                print(self.said()[-4000:], file=sys.stderr)

    @property
    def path(self):
        return SHM / f"astshm.{self.name}"

    def mappings(self):
        return pathlib.Path(f"/proc/{self.process.pid}/maps").read_text()

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10

    def send(self, datagram):
        host = self.host.strip("[]")
        self.socket.sendto(datagram, (host, self.port))
        self.sent += 1
        if self.sent % BURST == 0:
            self.settle()

    def renew_socket(self):
        """From here on datagrams come from another port."""
        old, self.socket = self.socket, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        assert self.socket.getsockname() != old.getsockname()
        old.close()

    @contextlib.contextmanager
    def paused(self):
        """No thread of it runs meanwhile. When the signal is sent some still do: one that waits
        for datagrams may take those that come before it has the CPU to stop on."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
        yield
        self.process.send_signal(signal.SIGCONT)

    def document(self):
        return snapshot(self.name)

    def counters(self):
        return counters(self.document())

    def settle(self, events=0):
        """Until every datagram sent has arrived, the queue is empty, and `events` events
        have left their last trace, which is the time they waited in the queue."""
        wait_until(lambda: self.counters()["udp.packet.received"] >= self.sent, "arrival")
        wait_until(lambda: self.has_applied(events), f"{events} events")

    def has_applied(self, events):
        document = self.document()
        waiting = document["metrics"]["gauges"]["udp.queue.depth"]["current"]
        return not waiting and sample_count(document, "event.queue.wait") >= events

    def stop(self, number=signal.SIGTERM):
        """Exit status and what it said since it was ready."""
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE)
        return status, READY.split(self.said())[-1]


def snapshot(segment):
    """astshm-cat is polled here, and has tests of its own: LeakSanitizer would take most of
    its time."""
    environment = {**os.environ,
                   "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    done = subprocess.run([tools.cat, "-f", "json", segment], capture_output=True, text=True,
                          timeout=PATIENCE, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def counters(document):
    return {key: one["value"] for key, one in document["metrics"]["counters"].items()}


def of_traffic(values):
    """Counters without what each tick records of the process itself."""
    return {key: value for key, value in values.items()
            if not key.startswith(("process.", "astshm."))}


def run(*arguments):
    return subprocess.run([tools.server, *arguments], capture_output=True, text=True,
                          timeout=PATIENCE)


def by_type(document, name):
    return {one["tags"]["event_type"]: one["value"]
            for one in document["metrics"]["counters"].values() if one.get("name") == name}


def sample_count(document, key):
    return document["metrics"]["timings"][key]["count"]


def check_identity(document):
    values = counters(document)
    assert values["events.received"] == sum(values[key] for key in RESULTS), values
    applied = values["events.received"] - values["events.ignored.no_ast"]
    assert sample_count(document, "event.processing.duration") == applied
    assert sample_count(document, "event.queue.wait") == values["events.received"]
    for name in ("events.received", "events.processed", "events.unhandled",
                 "errors.event_processing"):
        assert sum(by_type(document, name + ".by_type").values()) == values[name], name


def log_windows(start):
    """How many times since then, of time.monotonic(), the log may have shown its five lines of
    one kind in ten seconds."""
    return 1 + (time.monotonic() - start) // 10


def main(namespace, needed, prepare=None):
    """Runs the cases (test_...) of `namespace`; `needed` are options for paths."""
    parser = argparse.ArgumentParser()
    for option in needed:
        parser.add_argument("--" + option, required=True, type=pathlib.Path)
    parser.add_argument("--heavy", action="store_true", help="the long forms of the cases")
    parser.add_argument("--sanitizer", default="none", help="what the server was built with")
    parser.add_argument("names", nargs="*")
    parser.parse_args(namespace=tools)
    if prepare:
        prepare()
    failed = 0
    for name, case in list(namespace.items()):
        if not name.startswith("test_") or not inspect.isfunction(case) or \
                (tools.names and name not in tools.names):
            continue
        start = time.monotonic()
        try:
            asyncio.run(case()) if inspect.iscoroutinefunction(case) else case()
            print("ok", name, f"({time.monotonic() - start:.1f} s)", flush=True)
        except Exception:
            traceback.print_exc()
            print("not ok", name, flush=True)
            failed += 1
    sys.exit(1 if failed else 0)
