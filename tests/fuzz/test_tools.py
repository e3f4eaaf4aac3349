#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Damaged segments on disk, through every tool.

usage: test_tools.py --driver EXE --vandal EXE --man FOLDER --count N TOOL...

Each answer has an exit status that the tool's man page names, comes in time, and
is a document where the status is 0. --count images, each through a part of the
commands, half of them under a writer's lock; some while a process damages them.
astshm-export is test_export.py's.
"""
import argparse
import contextlib
import fcntl
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import msgpack

# A tool that takes longer hangs: it has a deadline of 2 s.
PATIENCE = 120
COMMANDS_AN_IMAGE = 4
PASSES = "20"


def is_json(out):
    for line in out.splitlines():
        json.loads(line)


def is_pretty(out):
    json.loads(out)


def is_msgpack(out):
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(out)
    for document in unpacker:
        assert document["schema"].startswith("astshm.snapshot/"), document


def is_exposition(out):
    for line in out.decode().split("\n")[:-1]:  # a help text may have other line breaks
        assert re.match(r"# |[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? [^ ]+$", line), line


def is_text(out):
    bad = re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out.decode())
    assert not bad, f"control character {bad.group()!r}"


# A tool joins with its line; IMAGE is the file's path.
COMMANDS = {
    "astshm-cat": [
        (["-f", "json", "IMAGE"], is_json),
        (["-f", "json", "--buckets", "--per-thread", "--pretty", "IMAGE"], is_pretty),
        (["-f", "msgpack", "--per-thread", "IMAGE"], is_msgpack),
        (["-f", "prometheus", "IMAGE"], is_exposition),
        (["-f", "summary", "IMAGE"], is_json),
        (["-f", "table", "IMAGE"], is_text),
        (["-f", "table", "--per-thread", "--sort", "p99", "--top", "3", "IMAGE"], is_text),
        (["-f", "json", "-m", "e*", "-t", "type=*", "IMAGE"], is_json),
        (["-f", "json", "--group-by", "type", "IMAGE"], is_json),
        (["--value", "events", "IMAGE"], is_text),
        (["--value", "timing:p99", "IMAGE"], is_text),
        (["--require-live", "IMAGE"], is_json),
        (["-f", "json", "-d", "-w", "5ms", "-n", "1", "IMAGE"], is_json),
        (["-f", "msgpack", "-w", "5ms", "-n", "2", "IMAGE"], is_msgpack),
    ],
    "astshm-ls": [(["IMAGE"], is_text), (["--json", "IMAGE"], is_pretty),
                  (["--prune", "IMAGE"], is_text)],
    "astshm-top": [(["--once", "IMAGE"], is_text)],
    "astshm-alert": [(["--once", "-r", "events > 5 over 1m", "-r", "timing p95 > 1ms", "IMAGE"],
                      is_text)],
}
WATCHES = {
    "astshm-cat": [(["-f", "json", "-w", "2ms", "-n", PASSES, "IMAGE"], is_json),
                   (["-f", "json", "-d", "-w", "2ms", "-n", PASSES, "IMAGE"], is_json),
                   (["-f", "prometheus", "IMAGE"], is_exposition)],
    "astshm-ls": [(["--json", "IMAGE"], is_pretty)],
    "astshm-top": COMMANDS["astshm-top"],
    "astshm-alert": COMMANDS["astshm-alert"],
}


class Failed(Exception):
    pass


@contextlib.contextmanager
def owned(image):
    """Locked as a writer locks its segment, so that it counts as alive."""
    with open(image, "r+b") as file:
        first_byte = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 1, 0)
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, first_byte)
        yield


def documented(man, name):
    """The exit statuses of a man page."""
    text = (man / f"{name}.1").read_text()
    section = text.split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
    lines = re.findall(r"^\.It ([\d ,]+)$", section, re.M)
    return {int(number) for line in lines for number in re.findall(r"\d+", line)}


class Tool:
    def __init__(self, path, man):
        self.path = pathlib.Path(path).resolve()
        self.name = self.path.name
        self.statuses = documented(man, self.name)
        self.seen = {}
        self.environment = None  # as ours is

    def run(self, arguments, check, image):
        given = [str(image) if word == "IMAGE" else word for word in arguments]
        try:
            done = subprocess.run([self.path, *given], capture_output=True, timeout=PATIENCE,
                                  env=self.environment)
            self.judge(done, check)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} {' '.join(given)}: hangs") from None
        except (AssertionError, ValueError) as error:
            raise Failed(f"{self.name} {' '.join(given)}: {error}") from error

    def judge(self, done, check):
        status, err = done.returncode, done.stderr.decode()
        self.seen[status] = self.seen.get(status, 0) + 1
        assert status in self.statuses, f"exit status {status}, stderr: {err}"
        for line in err.splitlines():
            # An indented line shows where in a rule.
            assert line.startswith((self.name + ": ", "    ")), f"on stderr: {line}"
        if status == 0:
            check(done.stdout)


def broken_images(tools, given, folder):
    """Nothing but what is documented, of any damage."""
    subprocess.run([given.driver, "--write", folder, "--seed", "5", "--count", str(given.count)],
                   check=True, stdout=subprocess.DEVNULL)
    commands = [(tool, *command) for tool in tools for command in COMMANDS[tool.name]]
    garbage = folder / "garbage"
    for tool, arguments, check in commands:
        garbage.write_bytes(b"not a segment" * 1000)
        tool.run(arguments, check, garbage)
    turn = 0
    for number in range(given.count):
        image = folder / f"{number}-input"
        with owned(image) if number % 2 else contextlib.nullcontext():
            for _ in range(COMMANDS_AN_IMAGE):
                tool, arguments, check = commands[turn % len(commands)]
                turn += 1
                if image.exists():
                    tool.run(arguments, check, image)
        image.unlink(missing_ok=True)
    # Few are put to astshm-alert, and to it hardly any is well.
    if not all(tool.name == "astshm-alert" or (0 in tool.seen and len(tool.seen) > 1)
               for tool in tools):
        raise Failed(f"not both good and bad answers: {[tool.seen for tool in tools]}")


def watched(sort):
    def case(tools, given, folder):
        image = folder / "image"
        subprocess.run([given.vandal, "--seed", image], check=True)
        with subprocess.Popen([given.vandal, image, sort]) as vandal:
            try:
                for tool in tools:
                    for arguments, check in WATCHES.get(tool.name, []):
                        tool.run(arguments, check, image)
            finally:
                vandal.kill()
    case.__name__ = f"damage_under_a_tool_{sort}"
    return case


def huge_files(tools, given, folder):
    """A terabyte that costs nothing to claim."""
    image = folder / "image"
    subprocess.run([given.vandal, "--seed", image], check=True)
    data = bytearray(image.read_bytes())
    size = 1 << 40
    data[64:72] = data[512:520] = size.to_bytes(8, sys.byteorder)
    for table in (768, 976, 1184, 1392):
        huge = bytearray(data)
        words = (1 << 28, (1 << 32) - 1, 1 << 28)
        huge[table + 4:table + 16] = b"".join(w.to_bytes(4, sys.byteorder) for w in words)
        huge[table + 16:table + 24] = (1 << 38).to_bytes(8, sys.byteorder)
        with open(image, "wb") as file:
            file.write(huge)
            try:
                file.truncate(size)
            except OSError as error:
                print(f"# no file of 1 TiB here: {error}")
                return
        for tool in tools:
            arguments, check = COMMANDS[tool.name][0]
            tool.run(arguments, check, image)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--vandal", required=True)
    parser.add_argument("--man", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("tools", nargs="+")
    given = parser.parse_args()
    tools = [Tool(path, given.man) for path in given.tools]
    failed = 0
    for case in (broken_images, watched("flip"), watched("cut"), watched("replace"), huge_files):
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(tools, given, pathlib.Path(folder))
                print("ok", case.__name__, flush=True)
            except Failed as error:
                failed += 1
                print("not ok", f"{case.__name__}: {error}", flush=True)
    for tool in tools:
        print("#", tool.name, "exit statuses", dict(sorted(tool.seen.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
