# SPDX-License-Identifier: MIT
"""A program in a pseudo-terminal, and what a user would see on it.

The screen is kept by pyte, a terminal emulator that no one here wrote. The bytes that
the program sent are kept too: an emulator forgives much that a terminal would obey.
"""
import fcntl
import os
import pathlib
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

import harness
from harness import Failed, check

KEYS = {"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
        "home": "\x1b[1~", "end": "\x1b[4~", "page up": "\x1b[5~", "page down": "\x1b[6~",
        "enter": "\r", "escape": "\x1b", "backspace": "\x7f", "tab": "\t"}
MARK = b"\xff"  # no program that speaks UTF-8 writes it


class Screen(pyte.Screen):
    """pyte 0.8.0 moves only lines that something was written to: where a blank one should
    come, what was there stays. Here every line has been written to."""

    def delete_lines(self, count=None):
        self.write_to_all()
        super().delete_lines(count)

    def insert_lines(self, count=None):
        self.write_to_all()
        super().insert_lines(count)

    def write_to_all(self):
        for y in range(self.lines):
            self.buffer[y]  # which makes it


class Terminal:
    """TERM is "linux" because that is what pyte emulates."""

    def __init__(self, arguments, columns=80, rows=24, term="linux", env=None, folder=None):
        self.columns, self.rows = columns, rows
        self.screen = Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self.master, slave = pty.openpty()
        self.resize_terminal()
        self.before = termios.tcgetattr(slave)
        self.slave = slave  # kept open, to look at the modes that the program leaves
        # Another way to it, since this one does not wait, as the program's does.
        self.marker = os.open(os.ttyname(slave), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        self.marks = 0  # that came back
        names = {"TERM": term, "LC_ALL": "C.UTF-8"}
        clean = {key: value for key, value in os.environ.items()
                 if key not in ("NO_COLOR", "COLUMNS", "LINES", "LANG", "LC_CTYPE")}
        self.process = subprocess.Popen(
            [str(one) for one in arguments], stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, cwd=folder, env={**clean, **names, **(env or {})},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize_terminal(self):
        size = struct.pack("HHHH", self.rows, self.columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def resize(self, columns, rows):
        """The kernel tells the program (SIGWINCH)."""
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        self.resize_terminal()

    def read(self, seconds):
        """What comes within that time; False: nothing did."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the program is gone
            return False
        self.marks += data.count(MARK)
        data = data.replace(MARK, b"")
        self.bytes += data
        self.stream.feed(data)
        return bool(data)

    def mark(self):
        """False: the program is in the middle of a write, and waits for us to read."""
        try:
            return os.write(self.marker, MARK) == 1
        except BlockingIOError:
            return False

    def read_all(self):
        """Whatever was written until now; False: nothing. The kernel hands it over in its own
        time, so that silence tells nothing; but what is written last comes last."""
        end, wanted, before = time.monotonic() + harness.PATIENCE, self.marks + 1, len(self.bytes)
        marked = False
        while self.marks < wanted:
            marked = marked or self.mark()
            self.read(0.02)
            check(time.monotonic() < end, "is never silent; screen:\n" + self.text)
        return len(self.bytes) > before

    def sleeps(self):
        if self.process.poll() is not None:
            return False
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "S"

    def is_whole(self):
        """Whether the program has drawn all and waits, instead of having lost its processor in
        between: it was seen asleep while nothing came."""
        self.read_all()
        return self.sleeps() and not self.read_all()

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.lines)

    def line(self, piece):
        """The first line that holds `piece`, or ""."""
        return next((line for line in self.lines if piece in line), "")

    def until(self, condition, what):
        """Reads until condition(self) is true of a screen that is drawn whole."""
        end = time.monotonic() + harness.PATIENCE
        while not (self.is_whole() and condition(self)):
            self.read(0.02)
            if time.monotonic() > end or self.process.poll() is not None:
                raise Failed(f"never seen: {what}; status {self.process.poll()}, screen:\n"
                             + self.text)

    def until_seen(self, *pieces):
        self.until(lambda t: all(piece in t.text for piece in pieces), pieces)

    def until_gone(self, piece):
        self.until(lambda t: piece not in t.text, f"the end of {piece!r}")

    def press(self, *keys):
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())

    def wait(self):
        """Its exit status, after all it had to say."""
        end = time.monotonic() + harness.PATIENCE
        while self.process.poll() is None:
            self.read(0.02)
            check(time.monotonic() < end, "does not end; screen:\n" + self.text)
        self.read_all()
        return self.process.returncode

    def modes_are_restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def end(self):
        """If it still runs. A process that is killed tells no leak."""
        if self.process.poll() is None:
            self.process.terminate()
            check(self.wait() == 0, "exit status", self.process.returncode, self.text)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for fd in (self.master, self.slave, self.marker):
            os.close(fd)
