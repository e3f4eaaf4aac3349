#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ast-server that cannot have its segment: it serves, and its log says why.

The program is in AST_SERVER; everything else as tests/tools/harness.py says.
"""
import contextlib
import errno
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading

import harness
from harness import SHM, case, check, equal, needs_empty_machine

SERVER = os.environ.get("AST_SERVER", "")
READY = re.compile(r"ready, udp 127\.0\.0\.1:(\d+),")
DATAGRAMS = 200
NOBODY = 65534
ROOT = pathlib.Path(__file__).parents[2]
RULES = ROOT / "tools/astshm-alert/ast-server.rules"
SET = ROOT / "examples/demo-set.xml"
# Their times alone, a block each, are more than what a segment grows by.
PATHS = ("/live/track/mute", "/live/track/volume", "/live/track/arm", "/live/track/pan")


class Server:
    """A server under an obstacle; gone at the end."""

    def __init__(self, name, *arguments, **more):
        arguments = ["--udp", "127.0.0.1:0", "--metrics", name, *arguments]
        if "--no-websocket" in subprocess.run([SERVER, "--help"], capture_output=True,
                                              text=True).stdout:
            arguments.append("--no-websocket")
        self.process = subprocess.Popen([SERVER, *arguments], stderr=subprocess.PIPE, text=True,
                                        **more)
        # So that none waits for ever for a line that does not come.
        self.watchdog = threading.Timer(harness.PATIENCE, self.process.kill)
        self.watchdog.start()
        self.lines = []
        self.port = self.wait_ready()

    def wait_ready(self):
        for line in self.process.stderr:
            self.lines.append(line)
            found = READY.search(line)
            if found:
                return int(found.group(1))
        raise harness.Failed(f"not ready: {self.lines}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def waiting_bytes(self):
        """What lies in the socket's queue, by /proc/net/udp."""
        with open("/proc/net/udp", encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if fields[1].endswith(f":{self.port:04X}"):
                    return int(fields[4].split(":")[1], 16)
        raise harness.Failed("the socket is gone")

    def serve(self):
        """Datagrams are taken from the socket, all of them."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(DATAGRAMS):
                sender.sendto(b"/x\0\0,i\0\0" + number.to_bytes(4, "big"),
                              ("127.0.0.1", self.port))
        harness.wait_until(lambda: self.waiting_bytes() == 0, "an empty socket")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=harness.PATIENCE)
        return self.process.returncode


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def serves_without(t, *words, path=None, **more):
    """With metrics at `path` or under the case's name, it serves and says `words`."""
    before = sorted((p.name, p.lstat().st_ino, p.lstat().st_mtime_ns) for p in SHM.iterdir())
    with Server(path or t.name(), **more) as server:
        server.serve()
        equal(server.stop(), 0)
        said = "".join(server.lines)
        for word in (*words, "serving without metrics"):
            check(word in said, f"'{word}' is not in", said)
    after = sorted((p.name, p.lstat().st_ino, p.lstat().st_mtime_ns) for p in SHM.iterdir())
    equal(after, before)


@contextlib.contextmanager
def small_folder(t, size):
    """A file system of that size."""
    small = t.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small], check=True)
    try:
        yield small
    finally:
        subprocess.run(["umount", small], check=True)


@case
def folder_that_is_full(t):
    needs_empty_machine()
    with small_folder(t, "16k") as small:
        serves_without(t, "No space left", str(small), path=f"{small}/segment")


def osc_string(text):
    data = text.encode()
    return data + b"\0" * (4 - len(data) % 4)


def event(number, path):
    """Of the first track, as Live's script would send it."""
    return (osc_string("/live/seq") + osc_string(",ifsii") + number.to_bytes(4, "big") +
            struct.pack(">f", 1.7e9) + osc_string(path) + struct.pack(">ii", 0, number % 2))


def await_line(server, words):
    """The next line with these words."""
    for line in server.process.stderr:
        server.lines.append(line)
        if words in line:
            return line
    raise harness.Failed(f"'{words}' is not in {server.lines}")


def has_ticked(t, segment):
    timings = json.loads(t.cat("-f", "json", segment).out)["metrics"]["timings"]
    return timings.get("astshm.tick.duration", {"count": 0})["count"] > 0


@case
def folder_that_fills_up_later(t):
    needs_empty_machine()
    with small_folder(t, "1m") as small:
        with Server(f"{small}/segment", str(SET)) as server:
            # A window begins with an entry of the history, and the first tick leaves one.
            harness.wait_until(lambda: has_ticked(t, f"{small}/segment"), "a tick")
            with open(small / "filler", "wb", buffering=0) as filler:
                try:
                    while filler.write(b"x" * 4096):
                        pass
                except OSError as error:
                    equal(error.errno, errno.ENOSPC)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for number in range(DATAGRAMS):
                    sender.sendto(event(number, PATHS[number % len(PATHS)]),
                                  ("127.0.0.1", server.port))
            said = await_line(server, "no room in the segment")
            check("warning" in said and str(small) in said and "dropped so far" in said, said)
            if t.tools.alert:
                shown = t.alert("--once", "--rules", RULES, f"{small}/segment", status=1)
                check("[warning] room: astshm.dropped increase is " in shown.out, shown.out)
            server.process.send_signal(signal.SIGTERM)
            # Once nothing was lost for 10 s it tells the sum at once, and none at its end.
            told = await_line(server, " in all")
            check(int(re.search(r"metrics: (?:.* after )?(\d+) ", told)[1]) > 0, told)
            equal(server.stop(), 0)


@case
def folder_that_is_closed(t):
    needs_empty_machine()
    closed = t.folder / "closed"
    closed.mkdir(mode=0o755)
    os.chmod(t.folder, 0o755)
    serves_without(t, "Permission denied", str(closed), path=f"{closed}/segment",
                   preexec_fn=become_nobody)


@case
def folder_that_is_not_there(t):
    needs_empty_machine()
    serves_without(t, "No such file", path=f"{t.folder}/nowhere/segment")


@case
def symbolic_link_under_the_name(t):
    needs_empty_machine()
    target = t.folder / "target"
    target.write_text("precious")
    (SHM / f"astshm.{t.name()}").symlink_to(target)
    serves_without(t, "symbolic link")
    equal(target.read_text(), "precious")
    (SHM / f"astshm.{t.name()}").unlink()


@case
def other_file_and_fifo_under_the_name(t):
    needs_empty_machine()
    path = SHM / f"astshm.{t.name()}"
    path.write_text("notes")
    serves_without(t, "not a segment")
    path.unlink()
    os.mkfifo(path)
    serves_without(t, "not a regular file")
    path.unlink()


@case
def segment_of_another_user(t):
    needs_empty_machine()
    t.fixture().kill()
    serves_without(t, "user 0", preexec_fn=become_nobody)


@case
def hostile_name(t):
    needs_empty_machine()
    serves_without(t, "not a segment name", path="x\x1b[2J")


if __name__ == "__main__":
    if not SERVER:
        raise SystemExit("AST_SERVER is not set")
    harness.main()
