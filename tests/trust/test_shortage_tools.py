#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tools while memory is short: each allocation of a run fails, once.

usage: test_shortage_tools.py --short-malloc LIBRARY (options of tests/tools)

The run prints what it prints with memory, or ends with a status that the man page
names and a line that says why. What is not the tool's own allocates too: stdio, the
listing of a folder, the locale.
"""
import itertools
import os
import subprocess

import test_tools
from feed import frames_of, is_without_gap
from harness import PATIENCE, Failed, case, check, main

# Of each tool, with what must stand in its answer.
COMMANDS = [
    ("cat", ["-f", "json", "--buckets", "--per-thread"], b'"events.received"'),
    ("cat", ["-f", "msgpack"], b"events.received"),
    ("cat", ["-f", "prometheus"], b"events_received_total 1000\n"),
    ("cat", ["-f", "table", "--sort", "p99", "--top", "3"], b"request.duration"),
    ("cat", ["-f", "summary"], b"event_processing"),
    ("cat", ["--group-by", "type", "-m", "e*"], b"events"),
    ("cat", ["--window", "60"], b'"window"'),
    ("cat", ["--history"], b"events.received"),
    ("cat", ["--value", "events.received"], b"1000\n"),
    ("ls", [], b"STATE"),
    ("ls", ["--json"], b"\"live\""),
    ("top", ["--once"], b"Health Dashboard"),
    ("alert", ["--once", "-r", "events.received > 5000 over 1m"], b""),
]


class Short(test_tools.Tool):
    """A tool with a number of the allocation that fails; 0: none."""

    def __init__(self, t, path, wanted):
        super().__init__(path, t.tools.man)
        self.mark, self.wanted = t.folder / "mark", wanted
        self.library = t.tools.short_malloc

    def has_what_it_should(self, out):
        assert self.wanted in out, f"{self.wanted} is not in {out[:200]}"

    def failing(self, arguments, image, number):
        """Did one fail?"""
        self.mark.unlink(missing_ok=True)
        self.environment = {**os.environ, "LD_PRELOAD": self.library,
                            "SHORTAGE": str(number), "SHORTAGE_MARK": str(self.mark)}
        self.run([*arguments, "IMAGE"], self.has_what_it_should, image)
        return self.mark.exists()


def sweep(t, name, arguments, wanted):
    server = t.fixture(f"-{len(t.fixtures)}", history=True)
    tool = Short(t, getattr(t.tools, name), wanted)
    check(not tool.failing(arguments, server.path, 0), "failed unasked")
    if list(tool.seen) != [0]:
        raise Failed(f"{name} {arguments}: with memory {tool.seen}")
    for number in itertools.count(1):
        if not tool.failing(arguments, server.path, number):
            break
    print(f"# {name} {' '.join(arguments)}: {number - 1} failed, statuses {tool.seen}",
          flush=True)
    check(number > 3, "too few to be all")
    check(2 not in tool.seen or name == "alert", "wrong usage is something else")
    server.close()


@case
def each_allocation_of_a_tool_may_fail(t):
    for name, arguments, wanted in COMMANDS:
        if getattr(t.tools, name):
            sweep(t, name, arguments, wanted)


def read_feed(t, name, number):
    """What a feed sends while an allocation fails, until it has sent enough; and whether
    one did fail. Addresses are numbers: glibc's look-up of names may assert."""
    mark, path = t.folder / "mark", t.folder / "feed"
    for file in (mark, path):
        file.unlink(missing_ok=True)
    command = [t.tools.export, "--listen", "none", "--stream-interval", "0.01", "--stream", "-",
               "--stream", f"listen:unix:{path}", "--stream", "fluentd:tcp:127.0.0.1:1", name]
    environment = {**os.environ, "LD_PRELOAD": t.tools.short_malloc, "SHORTAGE": str(number),
                   "SHORTAGE_MARK": str(mark)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment)
    data = b""
    while len(data) < 20000 and (more := process.stdout.read1(65536)):
        data += more
    process.stdout.close()
    error = process.stderr.read().decode()
    process.stderr.close()
    return process.wait(PATIENCE), frames_of(data), error, mark.exists()


@case
def each_allocation_of_a_feed_may_fail(t):
    if not t.tools.export:
        return
    server = t.fixture()
    ended = 0
    for number in itertools.count(1):
        status, frames, error, failed = read_feed(t, server.name + "*", number)
        check(status in (0, 1), f"allocation {number}: status {status}, {error}")
        if status == 0:
            check(len(frames) > 1 and is_without_gap(frames), f"allocation {number}: {error}")
        else:
            check("emory" in error, f"allocation {number}: {error}")
        ended += status
        if not failed:
            break
    print(f"# {number - 1} failed, {ended} of them ended the exporter", flush=True)
    check(0 < ended < number // 2, "what fails later is no reason to end")


if __name__ == "__main__":
    main()
