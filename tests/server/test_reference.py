#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Documents without sense, made of the names that matter, as ast-server reads them
and as reference.py does.

usage: test_reference.py SERVER [--seed N] [--count N]

A document that gives two trees stays in the current folder as reference-N.xml.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
from xml.sax.saxutils import quoteattr

import reference

# What may stand in what; an element of any other name holds anything.
INSIDE = {
    "LiveSet": ["Tracks", "Tracks", "Scenes", "MasterTrack", "MainTrack", "FileRef", "X"],
    "Tracks": ["MidiTrack", "AudioTrack", "ReturnTrack", "GroupTrack", "MainTrack"],
    "Scenes": ["Scene", "Scene", "X"],
    "Scene": ["Name", "Annotation", "Color", "Tempo", "IsTempoEnabled", "TimeSignatureId",
              "IsTimeSignatureEnabled", "X", "FileRef"],
    "Track": ["Name", "Color", "DeviceChain", "DeviceChain", "TrackMute", "Solo", "X",
              "ClipSlotList"],
    "Name": ["EffectiveName", "UserName", "Annotation"],
    "DeviceChain": ["Mixer", "ClipSlotList", "Devices", "DeviceChain", "X"],
    "Devices": [*reference.DEVICES, "Operator", "PluginDevice", "PluginDevice"],
    "Device": ["On", "UserName", "EffectiveName", "Name", "PluginDesc", "DeviceChain",
               "PluginFloatParameter", "PluginEnumParameter", "X"],
    "PluginDesc": ["VstPluginInfo", "AuPluginInfo", "X"],
    "VstPluginInfo": ["PlugName", "VendorName"],
    "AuPluginInfo": ["Name", "Manufacturer"],
    "PluginFloatParameter": ["Manual", "X"],
    "PluginEnumParameter": ["Manual", "X"],
    "ClipSlotList": ["ClipSlot", "ClipSlot", "X"],
    "ClipSlot": ["ClipSlot", "Value", "Value", "Value", "HasStop", "Color", "X"],
    "Value": ["MidiClip", "AudioClip", "MidiClip", "AudioClip", "X"],
    "Clip": ["Name", "CurrentStart", "CurrentEnd", "Loop", "Color", "Notes", "Notes",
             "SampleRef", "SampleRef", "IsWarped", "WarpMode", "X"],
    "Loop": ["LoopStart", "LoopEnd", "LoopOn"],
    "Notes": ["KeyTracks", "KeyTracks", "MidiNoteEvent", "Notes"],
    "KeyTracks": ["KeyTrack"],
    "KeyTrack": ["Notes", "Notes", "X"],
    "SampleRef": ["FileRef", "FileRef", "X"],
    "FileRef": ["Name", "OriginalFileName", "Path", "RelativePath", "Hash", "FileRef", "X"],
    "Mixer": ["Volume", "Pan", "Sends", "Speaker", "Solo", "On", "X"],
    "Sends": ["TrackSendHolder", "X"],
    "TrackSendHolder": ["Manual", "On", "X"],
    "Speaker": ["Crossfader", "X"],
}
# Never empty, since much is needed to make one of their nodes.
FULL = {"ClipSlotList", "ClipSlot", "Value", "Clip", "Notes", "KeyTracks", "KeyTrack",
        "SampleRef"}
ELEMENTS = 100  # of each part of a document, at most
HOLDERS = {"Volume", "Pan", "TrackMute", "Solo", "On"}  # of a Manual
ANYTHING = sorted({name for names in INSIDE.values() for name in names})
NUMBERS = ["0", "1", "2", "5", "-3", "7.25", "1e3"]
WHOLE = {"Color", "TimeSignatureId", "WarpMode", "Crossfader"}
TEXTS = ["", "a", "b & c", "<ü>", "0123456789abcdef", "äöüß€€€€€"]


def kind(name):
    """The row of INSIDE for a name."""
    if name.endswith("Track"):
        return "Track"
    if name in reference.DEVICES:
        return "Device"
    return "Clip" if name.endswith("Clip") else name


def value(source, name):
    if name in WHOLE:
        return source.choice(["0", "2", "4", "16711680", "-1", "red", ""])
    if name in ("Name", "UserName", "EffectiveName", "Hash", "Path", "Annotation"):
        return source.choice(TEXTS)
    return source.choice(NUMBERS + ["true", "false", "True", ""])


def attributes(source, name):
    text = f" Value={quoteattr(value(source, name))}" if source.random() < 0.7 else ""
    for other in ("Id", "Type"):
        if source.random() < 0.2:
            text += f" {other}={quoteattr(source.choice(TEXTS))}"
    return text


def element(source, name, depth, left):
    """`left` is a list of one number: how many elements may still be made."""
    names = INSIDE.get(kind(name), ["Manual"] if name in HOLDERS else [])
    if source.random() < 0.1 or name == "X":
        names = ANYTHING
    least = 2 if kind(name) in FULL else 0
    content = ""
    for _ in range(source.randrange(least, least + 5) if names and depth < 14 else 0):
        if left[0] > 0:
            left[0] -= 1
            content += element(source, source.choice(names), depth + 1, left)
    return f"<{name}{attributes(source, name)}>{content}</{name}>\n"


def clip_slot(source):
    """At the end of a long way, and so rarely made by chance."""
    clip = element(source, source.choice(INSIDE["Value"]), 8, [ELEMENTS])
    return f"<ClipSlot><ClipSlot><Value>{clip}</Value></ClipSlot></ClipSlot>\n"


def document(seed, number):
    source = random.Random(seed * 1000003 + number)
    parts = [element(source, source.choice(INSIDE["LiveSet"]), 2, [ELEMENTS])
             for _ in range(source.randrange(1, 12))]
    slots = "".join(clip_slot(source) for _ in range(source.randrange(6)))
    parts.append(f"<Tracks><t><ClipSlotList>{slots}</ClipSlotList></t></Tracks>\n")
    parts.append(f"<Scenes>{'<Scene/>' * source.randrange(6)}</Scenes>\n")
    source.shuffle(parts)
    return f"<Ableton><LiveSet>\n{''.join(parts)}</LiveSet></Ableton>\n"


def plain(node):
    """As the reference has it: without what is random."""
    random_id = node["node_type"] in ("scene", "clip_slot")
    return reference.node(node["node_type"], None if random_id else node["id"],
                          node["attributes"], map(plain, node["children"]))


def first_difference(got, wanted, where="project"):
    for key in ("node_type", "id", "attributes"):
        if got[key] != wanted[key]:
            return f"{where}: {key} is\n{got[key]}\ninstead of\n{wanted[key]}"
    if len(got["children"]) != len(wanted["children"]):
        return f"{where}: {len(got['children'])} children, not {len(wanted['children'])}"
    for index, pair in enumerate(zip(got["children"], wanted["children"])):
        difference = first_difference(*pair, f"{where}[{index}]")
        if difference:
            return difference
    return None


def compare(server, folder, seed, number):
    """How many nodes both found."""
    text = document(seed, number)
    path = folder / "set.xml"
    path.write_text(text)
    result = subprocess.run([server, "--ast", path], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    difference = first_difference(plain(json.loads(result.stdout)), reference.tree(text))
    if difference:
        pathlib.Path(f"reference-{number}.xml").write_text(text)
        raise AssertionError(f"document {number}: {difference}")
    return result.stdout.count('"node_type"')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    given = parser.parse_args()
    print("seed", given.seed)
    with tempfile.TemporaryDirectory() as folder:
        nodes = sum(compare(given.server, pathlib.Path(folder), given.seed, number)
                    for number in range(given.count))
    assert nodes > 10 * given.count, f"{nodes} nodes are too few to tell anything"
    print(f"ok {given.count}_documents_with_{nodes}_nodes_as_the_reference_has_them")


if __name__ == "__main__":
    sys.exit(main())
