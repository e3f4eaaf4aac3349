#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""systemd takes the unit and the user of ast-server, and the unit lets the server do what it does.

usage: test_unit.py BUILD | --root ROOT
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from installed import environment, find, output_of, ROOT, TREE, workplace

import cases

PATIENCE = 120
PLACE = pathlib.Path(workplace.name)
# Of 10; 1.4 is what systemd 252 makes of it. From 2 on it would no longer say "OK".
EXPOSURE = 20


def settings(text, name):
    return re.findall(rf"^{name}=(.*)$", text, re.M)


def unit():
    return find("system/ast-server.service")


def as_systemd_reads_it():
    """The unit with the path of the program that lies here, which systemd looks for."""
    text = unit().read_text(encoding="utf-8")
    program = settings(text, "ExecStart")[0].split()[0]
    assert (ROOT / program.lstrip("/")).is_file(), program
    copy = PLACE / "ast-server.service"
    copy.write_text(text.replace(program, str(find("bin/ast-server"))), encoding="utf-8")
    return copy


def test_systemd_has_nothing_to_say_of_the_unit():
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", as_systemd_reads_it()],
                          capture_output=True, text=True, check=False, timeout=PATIENCE)
    said = [line for line in done.stderr.splitlines() if "ast-server.service" in line]
    assert done.returncode == 0 and not said, done.stderr


def test_systemd_would_tell_a_wrong_setting():
    path = PLACE / "wrong.service"
    path.write_text("[Service]\nExecStart=/bin/true\nProtectSystem=entirely\n", encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True,
                          text=True, check=False, timeout=PATIENCE)
    assert "entirely" in done.stderr, done.stderr


def test_the_unit_exposes_little():
    output_of("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}",
              as_systemd_reads_it())


def test_the_user_of_the_unit_is_declared():
    declared = find("sysusers.d/ast-server.conf")
    user = settings(unit().read_text(encoding="utf-8"), "User")[0]
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


def allowed_calls():
    allowed = set()
    for value in settings(unit().read_text(encoding="utf-8"), "SystemCallFilter"):
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


def calls_of_a_server(name):
    """What strace(1) sees of a server with a set, a datagram and a client, until its stop."""
    log, calls = PLACE / "log", PLACE / "calls"
    with open(log, "w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            ["strace", "-D", "-f", "-qq", "-o", calls, "-e", "signal=none", find("bin/ast-server"),
             "--udp", "127.0.0.1:0", "--websocket", "127.0.0.1:0", "--metrics", name,
             "--metrics-group", str(os.getegid()), TREE / "examples" / "demo-set.xml"],
            stderr=stderr, env=environment())
    try:
        ready = wait_for(log, r"ready, udp ([\d.]+):(\d+), websocket (\S+),", process)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"no message", (ready[1], int(ready[2])))
        with client(ready[3]):
            wait_for_value("udp.packet.received", name)
            wait_for_value("websocket.clients", name)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()
        pathlib.Path(f"/dev/shm/astshm.{name}").unlink(missing_ok=True)
    return set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", calls.read_text(encoding="utf-8"), re.M))


def test_the_filter_lets_the_server_make_its_calls():
    made = calls_of_a_server(f"test-unit-{os.getpid()}")
    assert {"recvmmsg", "fchown", "fallocate", "exit_group"} <= made, made
    assert not made - allowed_calls(), made - allowed_calls()
    assert not {"ptrace", "mount", "setuid", "chown"} & allowed_calls()


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
