#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever strangers send: the server goes on, and has counted it."""
import asyncio
import contextlib
import json
import pathlib
import random
import shutil

import websockets

import client as websocket
import harness
import make_set
import osc
from client import ask, eventually, expect, nothing_more, receive, say, welcomed
from harness import PATIENCE, Server, check_identity, counters, tools, workplace

SEED = 20261126


# --- datagrams ----------------------------------------------------------------------

DATAGRAMS = [
    osc.event(5, "/live/track/renamed", 1, "Größe"), osc.event(6, "/live/track/mute", 1, True),
    osc.event(7, "/live/device/param", 0, 0, 2, 0.5), osc.event(8, "/live/device/added", 0, 0, "d"),
    osc.event(9, "/live/device/deleted", 0, 0), osc.event(10, "/live/scene/added", 1, "s"),
    osc.event(11, "/live/scene/removed", 1), osc.event(12, "/live/scene/renamed", 0, "n"),
    osc.event(13, "/live/clip_slot/created", 1, 1, True, True, 1),
    osc.event(14, "/live/transport/tempo", 99.0), osc.event(15, "/live/cursor/track", 1, "x"),
    osc.event(16, "/live/track/color", 0, 255), osc.message("/live/batch/start", 1),
    osc.message("/live/seq", 1, 2), b"#bundle\0" + b"\0" * 8,
]


def tags_of(address, tags, body):
    return osc.string(address) + osc.string(tags) + body


HOSTILE = [b"", b"\0", b"/" * 5000, b"/live/seq\0\0\0", tags_of("/live/seq", ",ifs", b""),
           tags_of("/live/seq", ",ifs" + "T" * 4000, b"\0" * 12),
           tags_of("/live/seq", ",ifs", b"\0" * 8 + b"\xff\xfe\0\0"),
           tags_of("/live/seq", ",ifd", b"\0" * 16), tags_of("/live/seq", ",[i]", b"\0" * 4)]


async def read_all(client):
    """Until the connection ends; texts must be JSON objects of a known type."""
    kinds = set()
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            kinds.add((json.loads(await client.recv()))["type"])
    assert kinds <= {"FULL_AST", "DIFF_UPDATE", "ERROR", "live_event", "ACK"}, kinds


def datagram_count():
    if tools.heavy:
        return 100000
    return 10000 if tools.sanitizer == "none" else 2000


def send_mutations(server, count):
    for number, datagram in enumerate(osc.mutations(SEED, count, DATAGRAMS)):
        server.send(datagram)
        if number % 1000 == 0:
            for each in HOSTILE:
                server.send(each)
    server.settle()


async def answered_among_diffs(client, kind, wanted):
    """What the mutations changed may still be on its way, late and in between."""
    await say(client, {"type": kind, "request_id": 1})
    kind = "DIFF_UPDATE"
    while kind in ("DIFF_UPDATE", "ACK"):
        kind = (await receive(client))["type"]
    assert kind == wanted


async def test_mutated_datagrams_with_a_client_listening():
    with Server("datagrams", "--metrics-keep", "--log-level", "error", websocket=True) as server:
        client = await websocket.connect(server)
        reading = asyncio.create_task(read_all(client))
        await asyncio.to_thread(send_mutations, server, datagram_count())
        async with websocket.connect(server) as newcomer:
            await welcomed(newcomer)
            await answered_among_diffs(newcomer, "GET_PROJECT_INFO", "PROJECT_INFO")
        status, said = await asyncio.to_thread(server.stop)
        assert status == 0, said
        await asyncio.wait_for(reading, PATIENCE)
        document = server.document()
        values = counters(document)
        assert values["udp.packet.received"] == server.sent
        assert values["udp.parse.error"] > server.sent // 10
        assert values["events.processed"] > 0 and values["events.unhandled"] > 0
        assert f"received {server.sent}, " in said
        assert f"parse errors {values['udp.parse.error']}, " in said
        check_identity(document)


# --- clients' messages ----------------------------------------------------------------

MESSAGES = [json.dumps(each, ensure_ascii=False) for each in (
    {"type": "PING", "request_id": "r1"}, {"type": "GET_PROJECT_INFO", "request_id": 7},
    {"type": "FIND_NODES", "request_id": [1], "payload": {"node_type": "track"}},
    {"type": "FIND_NODES", "payload": {"query": 'name == "Größe"'}},
    {"type": "GET_NODE", "request_id": {"a": 1.5}, "payload": {"id": "track_0"}},
    {"type": "SET_METRICS_ENABLED", "payload": {"enabled": False}}, [1, None, True])]

# JSON of which the parser makes nothing, for people: a NUL in a key, a larger number than any.
BEYOND = ["{\"\\u0000\":1}", "1" + "0" * 400 + "e999", "1e999999999", "9" * 30,
          "{\"request_id\":" + "9" * 5000 + "}", "[" * 100000 + "]" * 100000]

NO_JSON = ["", " ", "{bad", "{\"a\":}", "nul", "[1,]", "{\"a\":1}x", "1e", "-", "'a'", "\"\\x\"",
           "\"\\ud800\"", "[" * 100000, "{\"a\":" * 50000, "\0", "{}\0", "\"a\0b",
           b"\xff\xfe", b"{\"a\":\"\xc3\x28\"}", b"{\"\xed\xa0\x80\":1}", b"\xc0\x80",
           b"{\"type\":\"\xf8\x88\x80\x80\x80\"}"]

NO_OBJECT = ["null", "true", "0", "-1.5e3", "\"text\"", "[]", "[{}]", "[[[[1]]]]", "\"\\u0000\""]

OBJECTS = ["{}", " {\n} ", "{\"type\":\"\\u0000\"}", "{\"request_id\":1e308}",
           "{\"type\":\"PING\",\"type\":7}", "{\"a\":" * 500 + "1" + "}" * 500,
           "{\"a\":" + "[" * 1000 + "]" * 1000 + "}", b"{\"request_id\":\"\xf0\x9f\x8e\x9b\"}"]


async def answered(client, messages, kind, error=None):
    for message in messages:
        await say(client, message)
        payload = await expect(client, kind)
        assert error is None or payload["error"] == error, (message[:40], payload)
        assert error is None or payload["details"], payload


async def test_each_bad_message_gets_an_error_and_is_counted():
    with Server("messages", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            await answered(client, NO_JSON + BEYOND, "ERROR", "Invalid JSON")
            await answered(client, NO_OBJECT, "ERROR", "Server error")
            await answered(client, OBJECTS, "ACK")
            await nothing_more(client)
            assert server.counters()["errors.client_message"] == \
                len(NO_JSON + BEYOND + NO_OBJECT)


def mutated_text(source):
    """Bytes may have become anything: those go in a binary frame."""
    data, = osc.mutations(source.random(), 1, [source.choice(MESSAGES).encode()])
    return data


async def converse(client, count):
    """Sends; every one is answered first by an ACK or an ERROR; counts the errors."""
    source, errors = random.Random(SEED), 0
    for number in range(count):
        await say(client, mutated_text(source))
        await say(client, {"request_id": f"n{number}"})
        while True:
            message = await receive(client)
            if message["payload"] == {"status": "ok", "request_id": f"n{number}"}:
                break
            errors += message["type"] == "ERROR"
    return errors


async def test_mutated_messages():
    with Server("conversation", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            errors = await converse(client, 5000 if tools.heavy else 1000)
            # What was asked of the event thread may be answered after the ACK of the next.
            assert server.counters()["errors.client_message"] == errors > 100


async def test_text_frames_that_are_no_text_end_the_connection():
    with Server("frames", websocket=True) as server:
        async with websocket.connect(server) as bystander:
            await welcomed(bystander)
            for payload, code in ((b"\xff", 1007), (b"{\"a\":\"\xc3", 1007),
                                  (b"x" * ((1 << 20) + 1), 1009)):
                async with websocket.connect(server) as client:
                    await welcomed(client)
                    with contextlib.suppress(websockets.ConnectionClosed):
                        await client.write_frame(True, 1, payload)
                        await receive(client)
                    await asyncio.wait_for(client.wait_closed(), PATIENCE)
                    assert client.close_code == code, (payload[:9], client.close_code)
            await nothing_more(bystander)


# --- the file, while all else goes on -------------------------------------------------

def set_text(generation):
    tracks = [make_set.track("MidiTrack", f"{generation} {at}", [make_set.slot(0)],
                             [make_set.tag("Eq8")]) for at in range(3 + generation % 2)]
    return make_set.live_set(tracks, [make_set.scene(0, f"Scene {generation}")])


def in_place(path, generation):
    make_set.write(path, set_text(generation))


def in_two_halves(path, generation):
    """Written slowly: what is there in between is no file to load."""
    whole = make_set.gzip.compress(set_text(generation).encode())
    with open(path, "wb") as file:
        file.write(whole[:len(whole) // 2])
        file.flush()
        file.write(whole[len(whole) // 2:])


def by_rename(path, generation):
    make_set.write(path.with_suffix(".tmp"), set_text(generation)).rename(path)


def deleted_and_made_again(path, generation):
    path.unlink()
    by_rename(path, generation)


def garbage(path, generation):
    path.write_bytes(bytes([generation]) * 1000)


def truncated(path, generation):
    path.write_bytes(make_set.gzip.compress(set_text(generation).encode())[:-9])


def empty(path, _):
    path.write_bytes(b"")


GOOD = (in_place, in_two_halves, by_rename, deleted_and_made_again)
BAD = (garbage, truncated, empty)


async def feed(server, stop):
    """Events, until told; the server is waited for now and then."""
    number = 0
    for datagram in osc.mutations(SEED, 10 ** 9, DATAGRAMS[:13]):
        if stop.is_set():
            return
        server.socket.sendto(osc.event(number, "/live/track/volume", number % 3, 0.5),
                             ("127.0.0.1", server.port))
        server.socket.sendto(datagram, ("127.0.0.1", server.port))
        number += 1
        await asyncio.sleep(0.002)


async def come_and_go(server, stop):
    """Some leave in the middle of a frame, some in order, some ask."""
    source = random.Random(SEED)
    while not stop.is_set():
        client = await websocket.connect(server)
        await welcomed(client)
        for _ in range(source.randrange(20)):
            await receive(client)
        await say(client, mutated_text(source))
        if source.random() < 0.5:
            client.transport.abort()
        await client.close()
        await asyncio.sleep(0.02)


def outcomes(server):
    """Reloads that were told, and failures."""
    return (server.said().count("ast-server: reloaded "), server.counters()["errors.reload"])


async def change(server, path, how, generation):
    """One change of the file, seen by the server before the next one comes."""
    told, failed = outcomes(server)
    how(path, generation)
    if how in BAD:
        await eventually(lambda: outcomes(server)[1] > failed, how.__name__)
        return
    await eventually(lambda: outcomes(server)[0] > told, how.__name__)
    async with websocket.connect(server) as newcomer:
        tree = await welcomed(newcomer)
    names = [node["attributes"]["name"] for node in tree["children"]]
    assert any(name.startswith(f"{generation} ") for name in names), (generation, names)


async def test_file_changes_while_events_flow_and_clients_come_and_go():
    path = pathlib.Path(workplace.name) / "changing.als"
    in_place(path, 0)
    rounds = 3 if tools.heavy else 1
    with Server("changing", "--metrics-keep", "--log-level", "info", websocket=True,
                loaded=path) as server:
        leave, stop = asyncio.Event(), asyncio.Event()
        feeding = asyncio.create_task(feed(server, stop))
        visits = [asyncio.create_task(come_and_go(server, leave)) for _ in range(3)]
        generation = 0
        for how in (GOOD[0], *BAD, *GOOD[1:]) * rounds:
            generation += 1
            await change(server, path, how, generation)
        leave.set()
        await asyncio.wait_for(asyncio.gather(*visits), PATIENCE)
        stop.set()
        await feeding
        status, said = await asyncio.to_thread(server.stop)
        assert status == 0, said
        document = server.document()
        assert counters(document)["errors.reload"] >= len(BAD) * rounds
        assert counters(document)["udp.parse.error"] > 0
        assert document["metrics"]["gauges"]["websocket.clients"]["current"] == 0
        check_identity(document)


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat"))
