#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Live Sets for tests, as Live writes them, but made here.

usage: make_set.py FILE.als    (a large one: 40 MB of XML)
"""
import gzip
import random
import sys
from xml.sax.saxutils import quoteattr

HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'


def tag(name, *content, **attributes):
    """An element; content are elements, attributes take their order as given."""
    text = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
    if not content:
        return f"<{name}{text} />\n"
    return f"<{name}{text}>\n{''.join(content)}</{name}>\n"


def val(name, value):
    return tag(name, Value=value)


def names(effective, user=""):
    return tag("Name", val("EffectiveName", effective), val("UserName", user),
               val("Annotation", ""))


def parameter(name, value, number=1):
    """A device's or mixer's parameter with what Live puts around its value."""
    return tag(name, val("LomId", 0), val("Manual", value),
               tag("MidiControllerRange", val("Min", 0), val("Max", 1)),
               tag("AutomationTarget", val("LockEnvelope", 0), Id=number),
               tag("ModulationTarget", val("LockEnvelope", 0), Id=number + 1))


def mixer(volume=1, pan=0, sends=()):
    holders = [tag("TrackSendHolder", parameter("Send", level), val("Active", "true"), Id=index)
               for index, level in enumerate(sends)]
    return tag("Mixer", parameter("On", "true"), tag("Sends", *holders),
               parameter("Speaker", "true"), parameter("Pan", pan), parameter("Volume", volume))


def file_ref(path, *content, **attributes):
    return tag("FileRef", val("RelativePathType", 1), val("RelativePath", "../" + path),
               val("Path", "/" + path), val("Type", 2), *content, **attributes)


def note(time):
    return tag("MidiNoteEvent", Time=time, Duration="0.25", Velocity=100, VelocityDeviation=0,
               OffVelocity=64, NoteId=int(time * 4) + 1)


def midi_clip(notes=(), *content):
    keys = tag("KeyTrack", tag("Notes", *map(note, notes)), val("MidiKey", 60), Id=0)
    return tag("MidiClip", val("CurrentStart", 0), val("CurrentEnd", 4),
               tag("Loop", val("LoopStart", 0), val("LoopEnd", 4), val("StartRelative", 0),
                   val("LoopOn", "true")),
               val("Name", "a clip"), val("Color", 7),
               tag("Notes", tag("KeyTracks", keys)), *content, Id=0, Time=0)


def audio_clip(name, *content):
    return tag("AudioClip", val("CurrentStart", 0), val("CurrentEnd", 16), val("Color", 3),
               tag("SampleRef", file_ref(f"Samples/{name}.wav", val("Name", name))),
               val("IsWarped", "true"), val("WarpMode", 4), *content, Id=0, Time=0)


def slot(number, clip=""):
    return tag("ClipSlot", val("LomId", 0),
               tag("ClipSlot", tag("Value", clip) if clip else "<Value />\n"),
               val("HasStop", "true"), val("NeedRefreeze", "true"), Id=number)


def track(kind, name, slots=(), devices=(), color=1, chain_mixer=None, number=0):
    sequencer = tag("MainSequencer", val("LomId", 0),
                    tag("ClipSlotList", *slots) if slots else "")
    chain = tag("DeviceChain", chain_mixer if chain_mixer is not None else mixer(), sequencer,
                tag("DeviceChain", tag("Devices", *devices), tag("SignalModulations")))
    return tag(kind, val("LomId", 0), names(name), val("Color", color),
               tag("AutomationEnvelopes", tag("Envelopes")), chain, Id=number)


def scene(number, name="", *content):
    return tag("Scene", tag("FollowAction", val("FollowTime", 4)), val("Name", name),
               val("Annotation", ""), val("Color", -1), val("Tempo", 120),
               val("IsTempoEnabled", "false"), val("TimeSignatureId", 201),
               val("IsTimeSignatureEnabled", "false"), *content, Id=number)


def live_set(tracks, scenes=(), master="MainTrack", version="12.0_12120", *content):
    last = track(master, master.removesuffix("Track")) if master else ""
    return HEADER + tag(
        "Ableton", tag("LiveSet", val("NextPointeeId", 1), tag("Tracks", *tracks), last,
                       tag("PreHearTrack", names("Preview"), tag("DeviceChain", mixer())),
                       tag("Scenes", *scenes), *content),
        MajorVersion=5, MinorVersion=version, Creator="Ableton Live")


def indented(text):
    """With the tabs that Live puts before each element."""
    depth, lines = 0, []
    for line in text.splitlines(True):
        closes = line.startswith("</")
        depth -= closes
        lines.append("\t" * depth + line)
        depth += not (closes or line.endswith("/>\n") or "</" in line or line[1] == "?")
    return "".join(lines)


def write(path, text, packed=True):
    data = text.encode()
    path.write_bytes(gzip.compress(data, 6, mtime=0) if packed else data)
    return path


LARGE = {"tracks": 72, "scenes": 74, "slots": 70 * 74, "file_refs": 2000, "devices": 72 * 5,
         "clips": 70 * 74 // 2}


def large_device(chance, number):
    return tag("Compressor2", parameter("On", "true"), val("UserName", ""),
               *(parameter(f"Parameter{index}", f"{chance.random():.17f}",
                           chance.randrange(10 ** 6)) for index in range(139)))


def warp_marker(chance, at):
    return tag("WarpMarker", Id=at, SecTime=at / 2 + chance.random(), BeatTime=at)


def large_clip(chance, number):
    if number < LARGE["file_refs"]:
        return audio_clip(f"Sample {number}", tag("WarpMarkers", *(
            warp_marker(chance, at) for at in range(64))))
    return midi_clip([at / 4 + chance.randrange(240) / 960 for at in range(64)])


def large_track(chance, number):
    scenes = LARGE["scenes"]
    plain = number < LARGE["tracks"] - 2
    slots = [slot(at, large_clip(chance, (number * scenes + at) // 2) if at % 2 else "")
             for at in range(scenes if plain else 0)]
    return track("MidiTrack" if plain else "ReturnTrack", f"Track {number}", slots,
                 [large_device(chance, at) for at in range(5)], number=number)


def large_set():
    """As the largest real one that is known: 40 MB of XML that pack to 3.8, 72 tracks,
    2000 file references. Values differ as real ones do: what inflating costs hangs on it."""
    chance = random.Random(1)
    return indented(live_set(
        [large_track(chance, number) for number in range(LARGE["tracks"])],
        [scene(number, f"Scene {number}") for number in range(LARGE["scenes"])]))


if __name__ == "__main__":
    with gzip.open(sys.argv[1], "wb", 6) as output:
        output.write(large_set().encode())
