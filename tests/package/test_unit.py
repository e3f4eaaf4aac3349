#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""systemd takes the units and their users, and a unit lets its program do what it does.

usage: test_unit.py BUILD | --root ROOT
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from installed import environment, find, output_of, ROOT, TREE, workplace

import cases

PATIENCE = 120
PLACE = pathlib.Path(workplace.name)
# Of 10; 1.4 is what systemd 252 makes of it. From 2 on it would no longer say "OK".
EXPOSURE = 20
SERVICES = [path.name.removesuffix(".service")
            for path in sorted(find("system/ast-server.service").parent.glob("ast*.service"))]


def settings(text, name):
    return re.findall(rf"^{name}=(.*)$", text, re.M)


def unit(service):
    """Its text."""
    return find(f"system/{service}.service").read_text(encoding="utf-8")


def as_systemd_reads_it(service):
    """The unit with the path of the program that lies here, which systemd looks for."""
    text = unit(service)
    program = settings(text, "ExecStart")[0].split()[0]
    assert (ROOT / program.lstrip("/")).is_file(), program
    copy = PLACE / f"{service}.service"
    copy.write_text(text.replace(program, str(find(f"bin/{service}"))), encoding="utf-8")
    return copy


def test_systemd_has_nothing_to_say_of_the_units():
    for service in SERVICES:
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", as_systemd_reads_it(service)],
            capture_output=True, text=True, check=False, timeout=PATIENCE)
        said = [line for line in done.stderr.splitlines() if f"{service}.service" in line]
        assert done.returncode == 0 and not said, done.stderr


def test_systemd_would_tell_a_wrong_setting():
    path = PLACE / "wrong.service"
    path.write_text("[Service]\nExecStart=/bin/true\nProtectSystem=entirely\n", encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True,
                          text=True, check=False, timeout=PATIENCE)
    assert "entirely" in done.stderr, done.stderr


def test_the_units_expose_little():
    for service in SERVICES:
        output_of("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}",
                  as_systemd_reads_it(service))


def test_the_users_of_the_units_are_declared():
    for service in SERVICES:
        declared = find(f"sysusers.d/{service}.conf")
        user = settings(unit(service), "User")[0]
        assert re.search(rf"^u {user} ", declared.read_text(encoding="utf-8"), re.M)
        told = output_of("systemd-sysusers", "--dry-run", declared)
        assert told == "" or user in told, told


def members(group):
    """Names of the calls in a group such as @file-system, groups in it included."""
    found = set()
    for line in output_of("systemd-analyze", "syscall-filter", group).splitlines():
        word = line.strip()
        if line.startswith(" ") and not word.startswith("#"):
            found |= members(word) if word.startswith("@") else {word}
    return found


def expanded(words):
    return set().union(*(members(word) if word.startswith("@") else {word} for word in words))


def allowed_calls(service):
    allowed = set()
    for value in settings(unit(service), "SystemCallFilter"):
        if value.startswith("~"):
            allowed -= expanded(value[1:].split())
        else:
            allowed |= expanded(value.split())
    return allowed | members("@default")


def wait_for(log, pattern, process):
    end = time.monotonic() + PATIENCE
    while not (found := re.search(pattern, log.read_text(encoding="utf-8"))):
        assert process.poll() is None and time.monotonic() < end, log.read_text(encoding="utf-8")
        time.sleep(0.02)
    return found


def wait_for_value(metric, name):
    """Of 1."""
    end = time.monotonic() + PATIENCE
    while output_of(find("bin/astshm-cat"), "--value", metric, name, env=environment()) != "1\n":
        assert time.monotonic() < end, metric
        time.sleep(0.02)


def client(address):
    """A WebSocket client that only listens: no deadline of a library's on a slow machine."""
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
    return connection


@contextlib.contextmanager
def traced(program, *arguments):
    """The process, the file of its stderr and, once it has ended, what calls strace(1) saw."""
    log, calls, made = PLACE / f"{program}.log", PLACE / f"{program}.calls", set()
    with open(log, "w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            ["strace", "-D", "-f", "-qq", "-o", calls, "-e", "signal=none", find(f"bin/{program}"),
             *arguments], stderr=stderr, env=environment())
    try:
        yield process, log, made
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()
    made |= set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", calls.read_text(encoding="utf-8"),
                           re.M))


@contextlib.contextmanager
def server(name):
    with traced("ast-server", "--udp", "127.0.0.1:0", "--websocket", "127.0.0.1:0", "--metrics",
                name, "--metrics-group", str(os.getegid()),
                TREE / "examples" / "demo-set.xml") as (process, log, made):
        try:
            yield wait_for(log, r"ready, udp ([\d.]+):(\d+), websocket (\S+),", process), made
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            pathlib.Path(f"/dev/shm/astshm.{name}").unlink(missing_ok=True)


def test_the_filter_lets_the_server_make_its_calls():
    name = f"test-unit-{os.getpid()}"
    with server(name) as (ready, made), client(ready[3]):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"no message", (ready[1], int(ready[2])))
        wait_for_value("udp.packet.received", name)
        wait_for_value("websocket.clients", name)
    check_calls("ast-server", made, {"recvmmsg", "fchown", "fallocate", "exit_group"})


def test_the_filter_lets_the_exporter_make_its_calls():
    """Asked for each document, and feeding a name of a host, a socket and who connects."""
    name = f"test-unit-export-{os.getpid()}"
    collector = socket.create_server(("localhost", 0))
    streams = [f"tcp:localhost:{collector.getsockname()[1]}", f"listen:unix:{PLACE}/feed"]
    with server(name), traced(
            "astshm-export", "--listen", "127.0.0.1:0", "--stream-interval", "0.1",
            *(word for stream in streams for word in ("--stream", stream)),
            name) as (process, log, made):
        address = wait_for(log, r"serving (http\S+)\n", process)[1]
        for path in ("metrics", "snapshot.json", "history.json", "summary.json", "healthz", ""):
            with urllib.request.urlopen(f"{address}/{path}", timeout=PATIENCE) as answer:
                assert answer.read(1)
        collector.settimeout(PATIENCE)
        with collector, collector.accept()[0] as fed, socket.socket(socket.AF_UNIX) as reader:
            reader.connect(str(PLACE / "feed"))
            for consumer in (fed, reader):
                consumer.settimeout(PATIENCE)
                assert consumer.recv(1)
    check_calls("astshm-export", made, {"accept4", "connect", "sendmsg", "exit_group"})


def check_calls(service, made, expected):
    allowed = allowed_calls(service)
    assert expected <= made, made
    assert not made - allowed, made - allowed
    assert not {"ptrace", "mount", "setuid", "chown"} & allowed


def skip_without(*names):
    for name in names:
        if not shutil.which(name):
            print(f"no {name} here")
            sys.exit(77)
    if subprocess.run(["strace", "-D", "-f", "-o", os.devnull, "true"], check=False,
                      capture_output=True).returncode != 0:
        print("strace may not trace here")
        sys.exit(77)


skip_without("systemd-analyze", "systemd-sysusers", "strace")
cases.main(globals())
