#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No path that a client names is opened, looked at, run or connected to.

strace(1) sees every system call of the server that takes a path, makes a socket's
address or runs a program, while each event and each request is sent with paths in
every place that holds a text. The lists of both are read from the server's source.
"""
import asyncio
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

import client as websocket
import harness
import osc
from client import expect, receive, say, welcomed
from harness import PATIENCE, Server, small_set, tools, wait_until, workplace

CALLS = ("trace=%file,execve,execveat,fork,vfork,write,socket,connect,bind,listen,"
         "memfd_create,open_by_handle_at,io_uring_setup")


def secret():
    """A file that is there for certain, and may be read."""
    path = pathlib.Path(workplace.name) / "secret"
    path.write_text("nobody asked for this\n")
    return path


def paths():
    whole = str(secret())
    return [whole, os.path.relpath(whole), "../../../../../../../etc/passwd", "file://" + whole,
            "/proc/self/mem", "/dev/shm/astshm.ast-server", "~/.profile", "/etc/passwd\n",
            "http://127.0.0.1:9/x", f"|cat {whole}", f"$(cat {whole})", "`id`", "%s%n",
            "\\\\host\\share", whole + ".als", whole.replace("/", "//./")]


# --- what may be sent ----------------------------------------------------------------

def event_kinds():
    """(path, arguments as letters) of each row of the server's table."""
    rows = re.findall(r'\{ "\w+", "(/live/[^"]*)", [^"]*?"([ifbsv]*)"', tools.handlers.read_text())
    assert len(rows) >= 18 and ("/live/track/renamed", "is") in rows, rows
    return rows


def request_kinds():
    names = re.findall(r'^\t\{ "([A-Z_]+)", answer_', tools.requests.read_text(), re.M)
    assert len(names) >= 8 and "GET_NODE" in names, names
    return names


def payload_keys():
    """Every word that the server looks up in a payload, and what others might."""
    text = tools.requests.read_text()
    keys = set(re.findall(r'(?:json_object_get|text_of)\([^,]+, "(\w+)"\)', text))
    assert {"id", "query", "node_type", "enabled", "window"} <= keys, keys
    return sorted(keys | {"file", "path", "project_path", "name", "segment", "output", "url"})


def likely(letter):
    return {"i": 0, "f": 0.5, "b": True, "s": "text", "v": 1}[letter]


def events(path):
    """With `path` in each place in turn, and in all of them."""
    for address, letters in event_kinds():
        usual = [likely(letter) for letter in letters]
        for at in range(len(usual)):
            yield address, *usual[:at], path, *usual[at + 1:]
        yield address, *[path] * (len(usual) + 1)
        yield address + path, *usual
    yield path,
    yield path, path


def datagrams(path):
    for number, event in enumerate(events(path)):
        yield osc.event(number, *event)
    yield osc.message(path if path.startswith("/") else "/" + path, path)
    yield osc.message("/live/batch/start", path)
    yield osc.message("/live/seq", 1, 1.0, path, path)
    yield osc.message("/live/seq", path, path, path)


def payloads(path):
    for key in payload_keys():
        yield {key: path}
        yield {key: {"path": path, path: path}}
    yield {"query": f"file == {path}"}
    yield {"query": f'path == "{path}"'}
    yield {path: path}


# --- what is sent -----------------------------------------------------------------------

def send_events(server):
    for path in paths():
        for datagram in datagrams(path):
            server.send(datagram)
    server.settle()
    values = server.counters()
    # The strings that are sent are no numbers: what has one where a number belongs, fails.
    for result in ("events.processed", "events.unhandled", "errors.event_processing"):
        assert values[result] > 0, values


async def send_requests(server):
    for path in paths():
        async with websocket.connect(server) as client:
            await welcomed(client)
            for kind in request_kinds() + [path]:
                for payload in (*payloads(path), path, [path]):
                    await say(client, {"type": kind, "request_id": path, "payload": payload})
            await say(client, path)
            await say(client, {"type": {"path": path}, path: path})
            await acknowledged(client)


async def acknowledged(client):
    """All that was sent before has been taken."""
    await say(client, {"request_id": "all"})
    while (await receive(client))["payload"] != {"status": "ok", "request_id": "all"}:
        pass


def send_http(server, path):
    """As a browser's or a proxy's request, and in each header that the server looks at."""
    host, port = server.uri.removeprefix("ws://").rstrip("/").split(":")
    usual = websocket.UPGRADE.format(host="x")
    line = path.replace("\n", "")
    for request in (f"GET {line} HTTP/1.1\r\nHost: x\r\n\r\n", f"GET /{line} HTTP/1.0\r\n\r\n",
                    f"PUT {line} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                    usual.replace("GET /", f"GET /{line}"),
                    usual.replace("Host: x", f"Host: {line}"),
                    usual.replace("Upgrade: w", f"Origin: {line}\r\nUpgrade: w"),
                    usual.replace("Upgrade: w", f"Sec-WebSocket-Protocol: {line}\r\nUpgrade: w")):
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            connection.sendall(request.encode())
            connection.shutdown(socket.SHUT_WR)
            try:
                while connection.recv(1 << 16):
                    pass
            except ConnectionResetError:
                pass


# --- what is seen -----------------------------------------------------------------------

def trace_lines(trace):
    """Of the calls between the line `ready` and the line `stopped`."""
    wait_until(lambda: "write(2, \"ast-server: stopped" in trace.read_text(), "end of the trace")
    text = trace.read_text(encoding="utf-8")
    before, after = text.split('write(2, "ast-server: ready', 1)
    during = after.split('write(2, "ast-server: stopped', 1)[0]
    return before.splitlines(), during.splitlines()[1:-1]


# The tick looks whether the segment's name still leads to it and what the process uses;
# malloc, before it gives memory back, what the kernel promises of memory.
OWN = ("/proc/self/statm", "/proc/self/stat", "/proc/self/fd", "/proc/sys/vm/overcommit_memory")


def is_known(line, server):
    call = line.split(None, 1)[1]
    return call.startswith(("write(", "<...", f'newfstatat(AT_FDCWD, "{server.path}", ')) or \
        any(call.startswith(f'openat(AT_FDCWD, "{path}", O_RDONLY') for path in OWN) or \
        re.match(r'newfstatat\(\d+, "", ', call) is not None


async def observe(case, meanwhile, least):
    """The calls that are not known."""
    trace = pathlib.Path(workplace.name) / f"{case}.trace"
    strace = ["strace", "-D", "-f", "-qq", "-s", "4096", "-e", CALLS, "-e", "signal=none",
              "-o", str(trace)]
    # LeakSanitizer is a tracer itself, and there can be but one.
    calm = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    with Server(case, "--control", websocket=True, prefix=strace,
                environment={"ASAN_OPTIONS": calm}) as server:
        await meanwhile(server)
        status, said = await asyncio.to_thread(server.stop)
        assert status == 0, said
    before, during = trace_lines(trace)
    assert any(f'"{small_set()}"' in line and " openat(" in line for line in before)
    assert len(during) > least, during
    return [line for line in during if not is_known(line, server)]


async def test_no_event_and_no_request_opens_a_file():
    async def send_all(server):
        await asyncio.to_thread(send_events, server)
        await send_requests(server)
        for path in paths():
            await asyncio.to_thread(send_http, server, path)
        async with websocket.connect(server) as client:
            await expect(client, "FULL_AST")

    unknown = await observe("strangers", send_all, 10)
    assert not unknown, unknown[:20]


async def test_a_file_that_is_opened_is_seen():
    """The server's own, when it changes: so what is seen above is all there is."""
    async def change(server):
        os.utime(small_set())
        with open(small_set(), "ab"):
            pass
        await websocket.eventually(lambda: "reloaded" in server.said(), "reload")

    seen = await observe("own-file", change, 3)
    assert any("openat(" in line and str(small_set()) in line for line in seen), seen


def skip_without_strace():
    if not shutil.which("strace"):
        print("no strace here")
        sys.exit(77)
    done = subprocess.run(["strace", "-D", "-f", "-o", os.devnull, "true"], capture_output=True,
                          text=True, timeout=PATIENCE)
    if done.returncode != 0:
        print("no process may be traced here:", done.stderr.strip())
        sys.exit(77)


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat", "handlers", "requests"), skip_without_strace)
