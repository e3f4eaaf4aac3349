#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Exit statuses of astshm-cat, and what it says on stderr."""
import json
import os
import select
import socket
import struct
import subprocess
import time

import harness
from harness import case, check, equal, needs_root

# Offsets of struct astshm_segment_header (doc/segment.md).
BYTE_ORDER, MAJOR_VERSION, MINOR_VERSION, SERIES_EXTENT = 8, 16, 20, 768 + 16


def image(t, server, offset=0, data=b"", name="image"):
    """A copy of the server's segment with some bytes replaced."""
    data_before = bytearray(server.path.read_bytes())
    data_before[offset:offset + len(data)] = data
    path = t.folder / name
    path.write_bytes(data_before)
    return path


@case
def help_and_version_exit_0(t):
    text = t.cat("--help").out
    check(text.startswith("Usage: astshm-cat") and "--require-live" in text, text)
    check(all(len(line) <= 80 for line in text.splitlines()), "wider than 80 columns")
    check(t.cat("--version").out.startswith("astshm-cat 1."), "version")


@case
def wrong_usage_exits_2_with_one_line(t):
    for arguments in (["--no-such-option"], ["-Z"], ["-f"], ["-f", "yaml"], ["--format=JSON"],
                      ["-w", "0"], ["-w", "-1"], ["-w", "1x"], ["-w", ""], ["-w", "1e3"],
                      ["-w", "1."], ["-w", "99999999999999999999"], ["-n", "0"], ["-n", "two"],
                      ["-n", "99999999999999999999"], ["-m", ""], ["-m", "!"], ["-t", "key"],
                      ["-t", "=value"], ["-g", ",a"], ["-g", "a,,b"], ["--value", ""],
                      ["--sort", "nothing"], ["--sort", ""], ["--top", "0"], ["--top", "-1"],
                      ["--wait", "soon"], ["--output", ""], ["--pretty=yes"], ["--value"],
                      ["-d", "--since", "x"],
                      ["-d", "-f", "prometheus"], ["-f", "prometheus", "--since", "x"],
                      ["a", "b"], [""], ["--sort", "p101"],
                      ["--window", "0"], ["--window", "soon"], ["--window", "1", "-d"],
                      ["--window", "1", "--since", "x"], ["--window", "1", "--merge", "a", "b"],
                      ["--history", "-w", "1"], ["--history", "--window", "1"],
                      ["--history", "--post-mortem"], ["--history", "-f", "prometheus"],
                      ["--history", "--per-thread"], ["--history", "--merge", "a", "b"],
                      ["--post-mortem", "-w", "1"], ["--post-mortem", "-f", "summary"],
                      ["--post-mortem", "--value", "x"],
                      ["--sort", "q1.5"], ["--sort", "p"]):
        result = t.cat(*arguments, status=2)
        equal(result.err.count("\n"), 1, f"lines on stderr for {arguments}")
        equal(result.bytes, b"")


@case
def missing_segment_exits_3(t):
    for argument in (t.name(), "/dev/shm/astshm.no-such-segment", "./no-such-file", "4194304999"):
        t.cat(argument, status=3)


def as_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


@case
def segment_of_somebody_else_exits_4(t):
    needs_root()
    server = t.fixture(mode="0600")
    os.chmod(t.folder, 0o755)
    done = subprocess.run([t.tools.cat, server.name], capture_output=True, preexec_fn=as_nobody,
                          cwd="/")
    equal(done.returncode, 4, done.stderr.decode())
    check(done.stderr.startswith(b"astshm-cat: "), done.stderr)
    saved = t.save(server)
    saved.chmod(0o600)
    done = subprocess.run([t.tools.cat, saved], capture_output=True, preexec_fn=as_nobody, cwd="/")
    equal(done.returncode, 4, done.stderr.decode())


@case
def readable_segment_of_somebody_else_is_printed(t):
    needs_root()
    server = t.fixture(mode="0644")
    done = subprocess.run([t.tools.cat, "--value", "events.received", server.name],
                          capture_output=True, preexec_fn=as_nobody, cwd="/")
    equal((done.returncode, done.stdout), (0, b"1000\n"), done.stderr.decode())


@case
def other_version_exits_5(t):
    server = t.fixture()
    t.cat(image(t, server, MAJOR_VERSION, struct.pack("=I", 2)), status=5)
    swapped = struct.pack("<I", 0x01020304)
    if struct.pack("=I", 0x01020304) == swapped:
        swapped = struct.pack(">I", 0x01020304)
    t.cat(image(t, server, BYTE_ORDER, swapped), status=5)


@case
def later_minor_version_is_read(t):
    path = image(t, t.fixture(), MINOR_VERSION, struct.pack("=I", 7))
    equal(t.cat("--value", "events.received", path).out, "1000\n")


@case
def snapshot_of_another_schema_exits_5(t):
    # {"schema": "astshm.snapshot/2"}
    data = b"\x81\xa6schema\xb1astshm.snapshot/2"
    t.cat("-", stdin=data, status=5)


@case
def corrupt_segment_exits_6(t):
    server = t.fixture()
    t.cat(image(t, server, 0, b"\0" * 8), status=6)
    short = t.folder / "short"
    short.write_bytes(server.path.read_bytes()[:1000])
    t.cat(short, status=6)


@case
def file_of_another_kind_exits_6(t):
    for data in (b"", b"{}", b"#!/bin/sh\n" * 1000, b"\0" * 8192):
        path = t.folder / "other"
        path.write_bytes(data)
        result = t.cat(path, status=6)
        check(str(path) in result.err and "neither" in result.err, result.err)


@case
def what_is_no_file_exits_6(t):
    server = t.fixture()
    link, fifo = t.folder / "link", t.folder / "fifo"
    link.symlink_to(server.path)
    os.mkfifo(fifo)
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(t.folder / "socket"))
    for path in (t.folder, link, fifo, t.folder / "socket", "/dev/zero", "/dev/null"):
        result = t.cat(path, status=6)
        check(str(path) in result.err, result.err)
    unix.close()
    named = harness.SHM / f"astshm.{t.name('-link')}"
    named.symlink_to(server.path)
    try:
        t.cat(t.name("-link"), status=6)
    finally:
        named.unlink()


@case
def folder_here_is_not_taken_for_a_segment(t):
    (t.folder / t.name()).mkdir()
    t.cat(t.name(), status=3)
    waiting = t.start("--wait", "2m", "--value", "queue:count", t.name())
    t.fixture()
    # It may see the segment before the fixture has recorded anything.
    waiting.wait(harness.PATIENCE)
    check(waiting.returncode in (0, 8), waiting.returncode, t.errors(waiting))


@case
def fifo_is_read_from_whoever_writes_to_it(t):
    saved, fifo = t.save(t.fixture()), t.folder / "fifo"
    os.mkfifo(fifo)
    writer = os.open(fifo, os.O_RDWR)
    reading = t.start("--value", "events.received", fifo)
    data = saved.read_bytes()
    os.write(writer, data[:100])
    harness.wait_until(lambda: not select.select([writer], [], [], 0)[0], "the first piece read")
    writing = os.open(fifo, os.O_WRONLY)
    os.close(writer)
    os.set_blocking(writing, True)
    os.write(writing, data[100:])
    os.close(writing)
    equal(t.finish(reading)[0], "1000\n")


@case
def messages_name_the_source_once(t):
    server = t.fixture()
    (t.folder / "trunc").write_bytes(server.path.read_bytes()[:5000])
    (t.folder / "segment").write_bytes(server.path.read_bytes()[:5000])
    for name in ("trunc", "segment"):
        err = t.cat(name, status=6).err
        check(err.startswith(f"astshm-cat: ./{name}: ") or f" {name}:" in err, err)
    for data in (b"", b"junk", b"\x81"):
        err = t.cat("-", stdin=data, status=6).err
        check(err.startswith("astshm-cat: stdin: ") and err.count("stdin:") == 1, err)
    check("astshm-ls" not in t.cat("./nofile", status=3).err, "astshm-ls does not list files")
    check("astshm-ls" in t.cat(t.name("-none"), status=3).err, "no hint")


@case
def segments_that_may_not_be_read_exit_4_without_a_name(t):
    harness.needs_empty_machine()
    server = t.fixture(mode="0600")
    done = subprocess.run([t.tools.cat], capture_output=True, preexec_fn=as_nobody, cwd="/")
    equal(done.returncode, 4, done.stderr.decode())
    check(b"no permission" in done.stderr and server.name.encode() in done.stderr, done.stderr)


@case
def corrupt_segments_alone_exit_6_without_a_name(t):
    harness.needs_empty_machine()
    path = harness.SHM / "astshm.junk"
    path.write_bytes(b"no segment")
    try:
        check("corrupt" in t.cat(status=6).err, "why")
    finally:
        path.unlink()


@case
def something_else_than_a_snapshot_exits_6(t):
    for data in (b"", b"{\"schema\": 1}\n", b"\x81", b"\x80", b"\x81\xa1a\x01",
                 b"\xdf\xff\xff\xff\xff", b"\xde\xff\xff" + b"\xa1a\x01" * 5):
        result = t.cat("-", stdin=data, status=6)
        equal(result.err.count("\n"), 1, result.err)


@case
def bad_record_is_skipped_and_counted(t):
    server = t.fixture()
    # An extent of the series table that lies outside the segment.
    document = t.cat(image(t, server, SERIES_EXTENT, struct.pack("=Q", 1 << 60))).json()
    check(document["segment"]["bad_records"] > 0, document["segment"])


@case
def every_damaged_image_ends_in_a_status(t):
    server = t.fixture()
    data = server.path.read_bytes()
    for step, offset in enumerate(range(0, min(len(data), 65536), 521)):
        damaged = bytearray(data)
        damaged[offset:offset + 8] = (b"\xff" * 8, b"\0" * 8, b"\x01\x80" * 4)[step % 3]
        path = t.folder / "damaged"
        path.write_bytes(damaged)
        result = t.run(t.tools.cat, "-f", "json", path)
        check(result.status in (0, 1, 5, 6), offset, result.status, result.err)
        if result.status == 0:
            result.json()


@case
def dead_writer_is_printed_and_told(t):
    server = t.fixture()
    server.kill()
    result = t.cat("-f", "json", server.name)
    equal(result.json()["segment"]["state"], "dead")
    equal(result.json()["metrics"]["counters"]["events.received"]["value"], 1000)
    equal(result.err.count("\n"), 1, "lines on stderr")
    check("dead" in result.err and str(server.pid) in result.err, result.err)


@case
def closed_segment_is_printed_and_told(t):
    server = t.fixture(keep=True)
    server.close()
    result = t.cat("-f", "json", server.name)
    equal(result.json()["segment"]["state"], "closed")
    check("closed" in result.err, result.err)


@case
def require_live_exits_7_without_a_living_writer(t):
    server = t.fixture()
    saved = t.save(server)
    equal(t.cat("--require-live", "--value", "events.received", server.name).out, "1000\n")
    server.kill()
    equal(t.cat("--require-live", server.name, status=7).bytes, b"")
    t.cat("--require-live", saved, status=7)


@case
def wait_with_require_live_waits_for_a_living_writer(t):
    server = t.fixture()
    server.kill()
    t.cat("--wait", "50ms", "--require-live", server.name, status=7)
    waiting = t.start("--wait", "2m", "--require-live", "-f", "json", server.name)
    # Beyond any look that does not wait; a slow machine only makes it prove less.
    time.sleep(0.3)
    check(waiting.poll() is None, "did not wait:", t.errors(waiting))
    again = t.fixture(name=server.name)
    equal(json.loads(t.finish(waiting)[0])["segment"]["pid"], again.pid)


@case
def require_live_holds_for_each_merged_source(t):
    dead, live = t.fixture("-dead"), t.fixture("-live")
    t.cat("--merge", "--require-live", dead.name, live.name)
    dead.kill()
    t.cat("--merge", "--require-live", dead.name, live.name, status=7)


@case
def full_device_exits_1(t):
    server = t.fixture()
    with open("/dev/full", "w") as full:
        done = subprocess.run([t.tools.cat, server.name], stdout=full, stderr=subprocess.PIPE)
    equal(done.returncode, 1)
    check(b"cannot write" in done.stderr, done.stderr)
    with open("/dev/full", "w") as full:
        equal(subprocess.run([t.tools.cat, "--help"], stdout=full,
                             stderr=subprocess.PIPE).returncode, 1)


@case
def output_that_cannot_be_a_file_exits_1(t):
    name = t.fixture().name
    before = os.stat("/dev/null").st_mode
    for path in ("/dev/null", t.folder, t.folder / "missing" / "file"):
        t.cat("-o", path, name, status=1)
    equal(os.stat("/dev/null").st_mode, before, "/dev/null was replaced")


if __name__ == "__main__":
    harness.main()
