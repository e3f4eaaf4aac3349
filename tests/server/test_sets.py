#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sets made here, as ast-server --info, --ast and --diff print them.

usage: test_sets.py SERVER [--large]    (--large: the 40 MB set alone)
"""
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import traceback

import make_set
from make_set import tag, val


def run(*arguments):
    return subprocess.run([SERVER, *map(str, arguments)], capture_output=True, text=True)


def printed(*arguments):
    result = run(*arguments)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return json.loads(result.stdout)


def refused(status, *arguments):
    """What a failing call says: one line, and nothing on standard output."""
    result = run(*arguments)
    assert result.returncode == status, (result.returncode, result.stderr)
    assert result.stdout == ""
    return result.stderr


def loaded(folder, text, name="set.als"):
    return printed("--ast", make_set.write(folder / name, text))


def of_type(node, node_type):
    found = [node] if node["node_type"] == node_type else []
    return found + [each for child in node["children"] for each in of_type(child, node_type)]


def attributes(node, node_type):
    return [each["attributes"] for each in of_type(node, node_type)]


def expect(got, wanted):
    assert got == wanted and list(got) == list(wanted), f"\n{got}\ninstead of\n{wanted}"


EMPTY_TRACK = {"name": "Track 0", "index": 0, "color": None, "is_muted": False,
               "is_soloed": False, "is_frozen": False, "type": "track"}
EMPTY_SLOT = {"track_index": 0, "scene_index": 0, "has_clip": False, "has_stop_button": True,
              "playing_status": 0, "color": None, "is_playing": False, "is_triggered": False}
EMPTY_SCENE = {"name": "", "index": 0, "tempo": 120.0, "color": -1, "is_tempo_enabled": False,
               "time_signature_id": 201, "is_time_signature_enabled": False, "annotation": ""}
EMPTY_MIXER = {"volume": 1.0, "pan": 0.0, "is_muted": False, "is_soloed": False,
               "crossfader": "None", "sends": []}
EMPTY_REF = {"name": None, "path": None, "hash": None, "ref_type": "Unknown"}


def test_defaults_of_every_attribute(folder):
    slots = tag("ClipSlotList", tag("ClipSlot", tag("Value", tag("MidiClip"))),
                tag("ClipSlot", tag("ClipSlot", tag("Value", tag("AudioClip")))))
    chain = tag("DeviceChain", tag("Mixer", tag("Sends", tag("TrackSendHolder"))), slots,
                tag("Devices", tag("Eq8"), tag("PluginDevice")))
    tree = loaded(folder, make_set.live_set([tag("AnyTrack", chain)],
                                            [tag("Scene"), tag("Scene"), tag("Scene")], None,
                                            "9", tag("FileRef")))
    assert list(tree) == ["node_type", "id", "attributes", "children", "hash"]
    expect(tree["attributes"], {"version": None, "creator": None})
    track, master = of_type(tree, "track")
    expect(track["attributes"], EMPTY_TRACK)
    expect(master["attributes"], EMPTY_TRACK | {"name": "Main", "index": 1, "type": "master"})
    assert master["children"] == [] and [master["id"], track["id"]] == ["track_1", "track_0"]
    assert [child["node_type"] for child in track["children"]] == \
        ["device"] * 2 + ["clip_slot"] * 3 + ["mixer"]
    plugin, eq8 = attributes(tree, "device")
    expect(plugin, {"name": "PluginDevice", "device_type": "plugin", "is_enabled": True,
                    "plugin_info": {}, "parameters": []})
    expect(eq8, {"name": "Eq8", "device_type": "audio_effect", "is_enabled": True,
                 "plugin_info": {}, "parameters": []})
    for index, slot in enumerate(attributes(tree, "clip_slot")):
        expect(slot, EMPTY_SLOT | {"scene_index": index, "has_clip": index < 2})
    for index, scene in enumerate(attributes(tree, "scene")):
        expect(scene, EMPTY_SCENE | {"index": index})
    send = {"index": 0, "level": 0.0, "is_active": True}
    expect(attributes(tree, "mixer")[0], EMPTY_MIXER | {"sends": [send]})
    midi, audio = attributes(tree, "clip")
    common = {"start_time": 0.0, "end_time": 0.0, "loop_start": 0.0, "loop_end": 0.0,
              "is_looped": True, "color": -1, "view": "session"}
    expect(midi, {"name": "", "clip_type": "midi"} | common
           | {"note_count": 0, "has_notes": False})
    expect(audio, {"name": "", "clip_type": "audio"} | common
           | {"sample_name": "", "is_warped": False, "warp_mode": "Unknown"})
    expect(attributes(tree, "file_ref")[0], EMPTY_REF)


def rack(name, *devices):
    branch = tag("InstrumentBranch", make_set.names(name),
                 tag("DeviceChain", tag("Devices", *devices)))
    return tag("InstrumentGroupDevice", tag("Branches", branch), val("UserName", ""))


def vst(name, *parameters):
    info = tag("VstPluginInfo", val("PlugName", name), val("VendorName", "Maker"))
    return tag("PluginDevice", tag("On", val("Manual", "false")), tag("PluginDesc", info),
               tag("ParameterList", *parameters))


def test_racks_are_flattened_in_the_order_of_the_table(folder):
    au = tag("AuPluginDevice", tag("PluginDesc", tag("AuPluginInfo", val("Name", "Au"),
                                                     val("Manufacturer", "Other"))))
    chain = [tag("Reverb", val("UserName", "Hall")), rack("Chain", vst("Synth")), au,
             tag("Operator"), tag("Eq8", make_set.names("Equal"))]
    tree = loaded(folder, make_set.live_set([make_set.track("MidiTrack", "t", devices=chain)]))
    devices = of_type(tree, "device")
    assert [(each["id"], each["attributes"]["name"], each["attributes"]["device_type"])
            for each in devices] == [
        ("device_0_0", "Chain", "instrument"), ("device_0_1", "PluginDevice", "plugin"),
        ("device_0_2", "AuPluginDevice", "au_plugin"), ("device_0_3", "Equal", "audio_effect"),
        ("device_0_4", "Hall", "audio_effect")]
    expect(devices[1]["attributes"]["plugin_info"],
           {"plugin_name": "Synth", "plugin_vendor": "Maker"})
    expect(devices[2]["attributes"]["plugin_info"],
           {"plugin_name": "Au", "plugin_manufacturer": "Other"})
    assert [each["attributes"]["is_enabled"] for each in devices] == [True, False] + [True] * 3


def test_parameters_need_a_direct_manual(folder):
    parameters = [tag("PluginEnumParameter", val("Manual", 3), Id=9),
                  tag("PluginFloatParameter", val("Manual", "0.5"), Id=7),
                  tag("PluginFloatParameter", tag("ParameterValue", val("Manual", 1)), Id=8)]
    tree = loaded(folder, make_set.live_set(
        [make_set.track("MidiTrack", "t", devices=[vst("P", *parameters)])]))
    assert attributes(tree, "device")[0]["parameters"] == [
        {"id": "7", "name": "Param 7", "value": 0.5, "type": "float"},
        {"id": "9", "name": "Param 9", "value": 3, "type": "enum"}]


def clips_of(folder, version):
    slots = [make_set.slot(0, make_set.midi_clip([0, 0.25, 1.5])),
             make_set.slot(1, make_set.audio_clip("drums")), make_set.slot(2), make_set.slot(3)]
    tracks = [make_set.track("MidiTrack", "one", slots, color=9,
                             chain_mixer=make_set.mixer(0.5, -1, [0.25, 1])),
              make_set.track("ReturnTrack", "back", slots)]
    master = "MainTrack" if version == 12 else "MasterTrack"
    return loaded(folder, make_set.live_set(
        tracks, [make_set.scene(at, f"S{at}") for at in range(3)], master, f"{version}.0"))


def test_live_11_and_12_differ_in_the_master_alone(folder):
    for version, name in ((11, "Master"), (12, "Main")):
        tree = clips_of(folder, version)
        assert [(each["name"], each["type"]) for each in attributes(tree, "track")] == [
            ("one", "track"), ("back", "return"), (name, "master")]
        assert len(of_type(tree, "mixer")) == 3
        slots = attributes(tree, "clip_slot")
        assert [slot["has_clip"] for slot in slots] == [True, True, False]
        midi, audio = of_type(tree, "clip")
        assert (midi["id"], audio["id"]) == ("clip_0_0", "clip_0_1")
        assert midi["attributes"]["note_count"] == 3 and midi["attributes"]["color"] == 7
        assert midi["attributes"]["end_time"] == midi["attributes"]["loop_end"] == 4.0
        assert (audio["attributes"]["sample_name"], audio["attributes"]["is_warped"],
                audio["attributes"]["warp_mode"]) == ("drums", True, "Complex")
        mixer = attributes(tree, "mixer")[0]
        assert (mixer["volume"], mixer["pan"]) == (0.5, -1.0)
        assert [send["level"] for send in mixer["sends"]] == [0.25, 1.0]
        assert attributes(tree, "file_ref")[0]["path"] == "/Samples/drums.wav"


def test_live_9_has_neither_colors_nor_scenes(folder):
    track = make_set.track("AudioTrack", "a", [make_set.slot(0)]).replace("<Color ",
                                                                          "<ColorIndex ")
    names = tag("SceneNames", tag("Scene", val("Value", "x")))
    tree = loaded(folder, make_set.live_set([track], (), "MasterTrack", "9.7", names))
    assert attributes(tree, "track")[0]["color"] is None
    assert of_type(tree, "scene") == of_type(tree, "clip_slot") == []


def test_file_references_take_the_first_name_with_a_value(folder):
    refs = [make_set.file_ref("a.wav", tag("OriginalFileName"), val("Name", "n"), Type="Sample"),
            tag("FileRef", val("OriginalFileName", ""), val("RelativePath", "r"),
                val("Hash", "äöüß456789")),
            tag("FileRef", val("Hash", ""), tag("Sub", tag("FileRef")))]
    tree = loaded(folder, make_set.live_set([], (), None, "12", *refs))
    first, second, third, fourth = of_type(tree, "file_ref")
    expect(first["attributes"], {"name": "n", "path": "/a.wav", "hash": None,
                                 "ref_type": "Sample"})
    expect(second["attributes"], {"name": "", "path": "r", "hash": "äöüß456789",
                                  "ref_type": "Unknown"})
    assert [each["id"] for each in (first, second, third, fourth)] == \
        ["fileref_0", "fileref_äöüß4567", "fileref_2", "fileref_3"]


def test_numbers_that_are_none_become_null_or_the_default(folder):
    track = make_set.track("MidiTrack", "t", color="red",
                           chain_mixer=make_set.mixer("loud", "NaN"))
    tree = loaded(folder, make_set.live_set([track]))
    assert attributes(tree, "track")[0]["color"] is None
    mixer = attributes(tree, "mixer")[0]
    assert mixer["volume"] == 1.0 and mixer["pan"] is None


def test_info_counts_what_the_tree_holds(folder):
    path = make_set.write(folder / "set.xml", make_set.live_set(
        [make_set.track("MidiTrack", "t", [make_set.slot(0, make_set.midi_clip())])],
        [make_set.scene(0)]), packed=False)
    info = printed("--info", path)
    assert list(info) == ["file", "root_hash", "num_tracks", "num_devices", "num_clips",
                          "num_scenes", "num_file_refs", "track_names"]
    assert len(info.pop("root_hash")) == 64
    assert info == {"file": str(path), "num_tracks": 2, "num_devices": 0, "num_clips": 1,
                    "num_scenes": 1, "num_file_refs": 0, "track_names": ["t", "Main"]}


def test_diff_tells_edits_and_nothing_else(folder):
    def write(name, tracks, scenes):
        return make_set.write(folder / name, make_set.live_set(
            [make_set.track("MidiTrack", each, [make_set.slot(0)]) for each in tracks],
            [make_set.scene(at, each) for at, each in enumerate(scenes)]))

    old = write("old.als", ["a", "b"], ["x", "y"])
    assert printed("--diff", old, write("same.als", ["a", "b"], ["x", "y"])) == []
    change, = printed("--diff", old, write("new.als", ["a", "c"], ["x", "y"]))
    assert list(change) == ["type", "path", "node_type", "old_value", "new_value"]
    assert (change["type"], change["path"], change["node_type"]) == \
        ("modified", ["track_1"], "track")
    assert (change["old_value"]["name"], change["new_value"]["name"]) == ("b", "c")
    added = printed("--diff", old, write("more.als", ["a", "b"], ["x", "y", "z"]))
    assert [(each["type"], each["node_type"]) for each in added] == \
        [("added", "clip_slot")] * 2 + [("added", "scene")]
    assert added[2]["old_value"] is None and added[0]["path"][0] == "track_0"
    assert list(added[2]["new_value"]) == ["node_type", "id", "attributes"]
    removed = printed("--diff", old, write("less.als", ["a", "b"], ["x"]))
    assert sorted(each["type"] for each in removed) == ["removed"] * 3


def test_failure_is_one_line_and_exit_1(folder):
    broken = folder / "broken.als"
    broken.write_text("<a>\n<b></a>")
    for option in ("--info", "--ast"):
        assert refused(1, option, broken) == \
            f"ast-server: error: {broken}: line 2: mismatched tag\n"
    fine = make_set.write(folder / "fine.als", make_set.live_set([]))
    assert "line 2" in refused(1, "--diff", fine, broken)
    assert "line 2" in refused(1, "--diff", broken, fine)
    assert refused(1, "--info", "/none.als") == \
        "ast-server: error: File not found: /none.als\n"
    with open("/dev/full", "w") as full:
        result = subprocess.run([SERVER, "--ast", fine], stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1 and b"No space left" in result.stderr


def test_wrong_use_is_exit_2(folder):
    fine = make_set.write(folder / "fine.als", make_set.live_set([]))
    for arguments in (["--info"], ["--diff", fine], ["--ast", fine, fine],
                      ["--info", fine, "--ast", fine], [fine, fine], ["--info", ""]):
        refused(2, *arguments)


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def large(folder):
    """Printed, not asserted: how long it takes is the machine's matter."""
    text = make_set.large_set()
    path = make_set.write(folder / "large.als", text)
    seconds, processor = [], []
    for _ in range(5):
        start, used = time.monotonic(), processor_seconds()
        info = printed("--info", path)
        seconds.append(time.monotonic() - start)
        processor.append(processor_seconds() - used)
    print(f"{len(text) / 1e6:.1f} MB of XML in {path.stat().st_size / 1e6:.1f} MB, "
          f"{len(seconds)} runs: {min(seconds):.3f} to {max(seconds):.3f} s, "
          f"processor {min(processor):.3f} to {max(processor):.3f} s")
    for key in ("clips", "devices", "scenes", "file_refs"):
        assert info[f"num_{key}"] == make_set.LARGE[key], key
    tree = printed("--ast", path)
    assert len(of_type(tree, "clip_slot")) == make_set.LARGE["slots"]
    assert printed("--diff", path, path) == []


def main():
    cases = [case for name, case in globals().items() if name.startswith("test_")]
    failed = 0
    for case in [large] if "--large" in sys.argv else cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(pathlib.Path(folder))
                print("ok", case.__name__, flush=True)
            except Exception:
                traceback.print_exc()
                print("not ok", case.__name__, flush=True)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    SERVER = sys.argv[1]
    sys.exit(main())
