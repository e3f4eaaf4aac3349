#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Dialogues that were recorded with the server this one replaces, held again.

What is opaque is not compared: hashes, the random ids (which must stand for
the same nodes throughout), the reasons in errors, the folder of the set.
Where the recording shows faults that are not to be had again, the cases say so.
"""
import json
import os
import pathlib
import re
import shutil
import struct
import time

import client as websocket
import harness
import make_set
import osc
from client import ask, expect, nothing_more, receive, welcomed
from harness import Server, counters, sample_count, tools, wait_until, workplace

HELD_BACK = re.compile("/live/(transport/tempo|device/param)")
HELD_BACK_SECONDS = 0.1
RANDOM_ID = re.compile(r"(scene|clip_slot)_[0-9a-f]{8}")
HASH = re.compile(r"[0-9a-f]{64}")


def recorded(name):
    with open(tools.samples / name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def copy_of_the_set(name):
    return shutil.copy(tools.samples / "logic2ableton-Default.als",
                       pathlib.Path(workplace.name) / name)


class Comparison:
    """Between messages of the recording and those received now."""

    def __init__(self):
        self.ids = {}  # of the recording -> now

    def same_id(self, old, new):
        assert RANDOM_ID.fullmatch(new) and new.startswith(old[:-8]), (old, new)
        known = self.ids.setdefault(old, new)
        assert known == new, (old, known, new)
        assert len(set(self.ids.values())) == len(self.ids), (old, new)

    def same_text(self, key, old, new):
        if RANDOM_ID.fullmatch(old):
            self.same_id(old, new)
        elif key == "hash":
            assert HASH.fullmatch(new), new
        elif key == "details":  # "Failed to process PATH: REASON", or a reason alone
            stem = re.match(r"(Failed to process .*?: |)", old)[0]
            assert new.startswith(stem) and len(new) > len(stem), (old, new)
        elif key == "project_path":
            assert os.path.basename(new) == os.path.basename(old), (old, new)
        else:
            assert new == old, (key, old, new)

    def same(self, old, new, key=""):
        """Down to the order of the fields."""
        assert type(old) is type(new), (key, old, new)
        if isinstance(old, dict):
            assert list(old) == list(new), (key, old, new)
            for each in old:
                self.same(old[each], new[each], each)
        elif isinstance(old, list):
            assert len(old) == len(new), (key, old, new)
            for one, other in zip(old, new):
                self.same(one, other, key)
        elif isinstance(old, str):
            self.same_text(key, old, new)
        elif key == "timestamp":
            assert new == struct.unpack(">f", struct.pack(">f", osc.TIMESTAMP))[0], new
        else:
            assert new == old, (key, old, new)


def steps_of(lines):
    """What was said in one go, with the messages that came of it."""
    steps = []
    for line in lines:
        if line["kind"] == "recv":
            steps[-1][1].append(line["msg"])
        elif line["kind"] == "send" and steps and steps[-1][0][0]["kind"] == "send" \
                and not steps[-1][1]:
            steps[-1][0].append(line)
        else:
            steps.append(([line], []))
    return steps


def datagram_of(line):
    if "hex" in line:
        return bytes.fromhex(line["hex"])
    return osc.event(line["seq"], line["path"], *line["args"])


def send_at_once(server, lines):
    """Received by a stopped server: so a burst is one, however busy the machine."""
    with server.paused():
        for line in lines:
            server.send(datagram_of(line))


def superseded(lines):
    """{number: value} of what is held back until a later one of the same burst takes its place."""
    burst = [(line["path"], line["seq"], line["args"]) for line in lines if "seq" in line]
    return {number: args[-1] for at, (path, number, args) in enumerate(burst)
            if HELD_BACK.match(path) and any(path == other and args[:-1] == arguments[:-1]
                                             for other, _, arguments in burst[at + 1:])}


def change_of(message):
    return message["payload"]["diff"]["changes"][0] if message["type"] == "DIFF_UPDATE" else {}


class Dialogue:
    """The clients of one server, and what they received beside what was recorded."""

    def __init__(self, server):
        self.server = server
        self.comparison = Comparison()
        self.clients = []
        self.broadcasts = 0  # that the first one received

    async def step(self, lines, messages):
        kind, begun, early = lines[0]["kind"], time.monotonic(), superseded(lines)
        if kind == "connect":
            self.clients.append(await websocket.connect(self.server))
        elif kind == "send":
            send_at_once(self.server, lines)
            self.broadcasts += len(messages)
        elif kind == "ws_send":
            await self.clients[-1].send(lines[0]["text"])
        for message in messages:
            self.comparison.same(message, await self.next_but(early, begun))

    async def next_but(self, early, begun):
        """Without what came `early`, which must have been held back for its time: in the middle
        of a burst the server may be kept off the CPU for longer."""
        while (change := change_of(message := await receive(self.clients[-1]))) and \
                change.get("seq_num") in early:
            assert change["new_value"] == early.pop(change["seq_num"]), change
            assert time.monotonic() - begun >= HELD_BACK_SECONDS, message
            self.broadcasts += 1
        return message

    async def close(self, line):
        for each in self.clients:
            await nothing_more(each)
            await each.close()
            assert each.close_code == line["code"]


def check_statistics(server, dump):
    _, said = server.stop()
    recorded_ones = dump["udp_stats"]
    sequence = recorded_ones["sequence"]
    assert (f"stopped, packets received {recorded_ones['packets_received']}, "
            f"processed {recorded_ones['packets_processed']}, "
            f"dropped {recorded_ones['packets_dropped']}, "
            f"parse errors {recorded_ones['parse_errors']}, "
            f"duplicates {sequence['duplicates']}, gaps {sequence['gaps']}, "
            f"missing {sequence['gap_size_total']}, late ") in said, said


def series_now(key):
    """Timings are tagged by the paths that are known."""
    path = re.search(r"event_type=(.*)]", key)[1]
    if path.startswith("/live/device/param"):
        path = "device_param"
    elif path.startswith("/live/transport/") and path.endswith("metronome"):
        path = "transport"
    elif path in ("/live/track/color", "/live/clip/added"):
        path = "__other__"
    return f"event.processing.duration[event_type={path}]"


def check_metrics(document, dump):
    values = counters(document)
    for key, one in dump["counters"].items():
        assert values[key] == one["value"], (key, values[key], one)
    counts = {}
    for key, count in dump["timings_count"].items():
        counts[series_now(key)] = counts.get(series_now(key), 0) + count
    for key, count in counts.items():
        assert sample_count(document, key) == count, key
    assert sum(counts.values()) == sample_count(document, "event.processing.duration")


async def test_recorded_dialogue_gives_the_same_messages():
    *lines, closed, dump = recorded("transcript-default-main.jsonl")
    with Server("dialogue", "--metrics-keep", websocket=True,
                loaded=copy_of_the_set("t.als")) as server:
        dialogue = Dialogue(server)
        for said, answers in steps_of(lines):
            await dialogue.step(said, answers)
        server.settle(dump["counters"]["events.received"]["value"])
        await dialogue.close(closed)
        document = server.document()
        check_metrics(document, dump)
        harness.check_identity(document)
        values = counters(document)
        assert values["websocket.broadcast.attempt"] == dialogue.broadcasts + 1  # the load's
        assert values["websocket.broadcast.success"] == dialogue.broadcasts + 1
        assert values["errors.client_message"] == 2
        check_statistics(server, dump)


# --- the file changes ---------------------------------------------------------

def reloads(server):
    return len(re.findall(r"ast-server: (?:info: )?reloaded ", server.said()))


async def check_edit(dialogue, path, edited, was):
    """In place: the recording has 80 changes more, for ids drawn anew."""
    path.write_bytes(edited)
    diff = (await expect(dialogue.clients[0], "DIFF_UPDATE"))["diff"]
    modified = was["msg"]["payload"]["diff"]["modified"]
    assert diff["changes"] == diff["modified"] == modified and len(modified) == 1, diff
    assert diff["added"] == diff["removed"] == diff["unchanged"] == []


async def check_newcomer(dialogue, name):
    """The recording still has the tree of before."""
    async with websocket.connect(dialogue.server) as newcomer:
        assert (await welcomed(newcomer))["children"][0]["attributes"]["name"] == name


async def check_silence(dialogue, path, content):
    """The recording read an empty file here."""
    before = reloads(dialogue.server)
    path.write_bytes(content)
    wait_until(lambda: reloads(dialogue.server) > before, "reload")
    await nothing_more(dialogue.clients[0])
    assert "0 changes" in dialogue.server.said().splitlines()[-1]


async def check_garbage(dialogue, path, was):
    path.write_bytes(b"no gzip")
    dialogue.comparison.same(was["msg"], await receive(dialogue.clients[0]))
    await check_newcomer(dialogue, "Renamed in file")
    assert dialogue.server.counters()["errors.reload"] == 1


async def check_replacement(dialogue, path, content):
    """By rename; the recording has nothing of it."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.rename(path)
    change, = (await expect(dialogue.clients[0], "DIFF_UPDATE"))["diff"]["changes"]
    assert change["old_value"]["name"] == "Renamed in file"
    assert change["new_value"]["name"] == "1-MIDI"
    await check_newcomer(dialogue, "1-MIDI")


def renamed_in_file(original):
    text = make_set.gzip.decompress(original)
    edited = text.replace(b'<EffectiveName Value="1-MIDI"',
                          b'<EffectiveName Value="Renamed in file"', 1)
    assert edited != text
    return make_set.gzip.compress(edited)


async def test_recorded_changes_of_the_file_are_told_better():
    lines = {line.get("for"): line for line in recorded("transcript-reload.jsonl")}
    path = copy_of_the_set("watched.als")
    original = path.read_bytes()
    edited = renamed_in_file(original)
    with Server("reload", websocket=True, loaded=path) as server:
        dialogue = Dialogue(server)
        await dialogue.step([{"kind": "connect"}], [])
        await welcomed(dialogue.clients[0])
        await check_edit(dialogue, path, edited, lines["reload"])
        await check_newcomer(dialogue, "Renamed in file")
        await check_silence(dialogue, path, edited)
        await check_garbage(dialogue, path, lines["bad"])
        await check_replacement(dialogue, path, original)
        kind, info = await ask(dialogue.clients[0], "GET_PROJECT_INFO")
        assert kind == "PROJECT_INFO" and info["track_names"][0] == "1-MIDI"
        await dialogue.close({"code": 1000})


def skip_without_samples():
    if not tools.samples.is_dir():
        print(f"skipped: no recordings in {tools.samples}")
        raise SystemExit(77)


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat", "samples"), skip_without_samples)
