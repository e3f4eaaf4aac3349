# SPDX-License-Identifier: MIT
"""The tree of a Live Set, made once more: from a whole document and by its rules,
so that it shares neither code nor method with the server's streaming builder.

A node is {"node_type", "id", "attributes", "children"}; ids of scenes and clip
slots, which are random, are None.
"""
import xml.etree.ElementTree as ElementTree

DEVICES = {
    "InstrumentGroupDevice": "instrument", "PluginDevice": "plugin",
    "AuPluginDevice": "au_plugin", "Vst3PluginDevice": "vst3_plugin",
    "AudioEffectGroupDevice": "audio_effect_group",
    "MidiEffectGroupDevice": "midi_effect_group",
    "Compressor2": "audio_effect", "Eq8": "audio_effect", "Reverb": "audio_effect",
    "Delay": "audio_effect", "Chorus": "audio_effect", "Saturator": "audio_effect",
    "MidiArpeggiator": "midi_effect", "MidiNoteLength": "midi_effect",
    "MidiScale": "midi_effect", "MidiChord": "midi_effect"}
PLUGINS = {"PluginDevice", "AuPluginDevice", "Vst3PluginDevice"}
WARP_MODES = ["Beats", "Tones", "Texture", "Re-Pitch", "Complex", "Complex Pro"]


def node(node_type, node_id, attributes, children=()):
    return {"node_type": node_type, "id": node_id, "attributes": attributes,
            "children": list(children)}


# --- values ---------------------------------------------------------------

def value(element, path, otherwise=None):
    """Value of the first element that the path leads to."""
    found = None if element is None else element.find(path)
    text = None if found is None else found.get("Value")
    return otherwise if text is None else text


def converted(kind, text, otherwise):
    try:
        return otherwise if text is None else kind(text)
    except ValueError:
        return otherwise


def integer(element, path, otherwise):
    return converted(int, value(element, path), otherwise)


def number(element, path, otherwise):
    return converted(float, value(element, path), otherwise)


def flag(element, path, otherwise):
    text = value(element, path)
    return otherwise if text is None else text == "true"


def color(element, path):
    if element.find(path) is None:
        return None
    return converted(int, value(element, path, "-1"), None)


# --- devices --------------------------------------------------------------

def device_name(device):
    effective = device.find(".//EffectiveName")
    return value(device, ".//UserName") or \
        (device.tag if effective is None else effective.get("Value", device.tag))


def plugin_info(device):
    desc = device.find(".//PluginDesc") if device.tag in PLUGINS else None
    if desc is None:
        return {}
    vst, au = desc.find(".//VstPluginInfo"), desc.find(".//AuPluginInfo")
    if vst is not None:
        return {"plugin_name": value(vst, "PlugName", ""),
                "plugin_vendor": value(vst, "VendorName", "")}
    if au is not None:
        return {"plugin_name": value(au, "Name", ""),
                "plugin_manufacturer": value(au, "Manufacturer", "")}
    return {}


def parameters(device):
    found = []
    for tag, kind, name in (("PluginFloatParameter", float, "float"),
                            ("PluginEnumParameter", int, "enum")):
        for each in device.iterfind(".//" + tag) if device.tag in PLUGINS else ():
            if each.find("Manual") is not None:
                found.append({"id": each.get("Id", ""), "name": f"Param {each.get('Id', '')}",
                              "value": converted(kind, value(each, "Manual"), kind(0)),
                              "type": name})
    return found


def devices(track, index):
    chain = track.find(".//DeviceChain")
    found = [] if chain is None else [device for tag in DEVICES
                                      for device in chain.iterfind(".//" + tag)]
    return [node("device", f"device_{index}_{number}",
                 {"name": device_name(device), "device_type": DEVICES[device.tag],
                  "is_enabled": flag(device.find("On"), "Manual", True),
                  "plugin_info": plugin_info(device), "parameters": parameters(device)})
            for number, device in enumerate(found)]


# --- clip slots -----------------------------------------------------------

def clip(element, track, scene):
    midi, name = element.tag == "MidiClip", element.find("Name")
    attributes = {
        "name": value(name, "UserName") or value(name, "EffectiveName", ""),
        "clip_type": "midi" if midi else "audio",
        "start_time": number(element, "CurrentStart", 0.0),
        "end_time": number(element, "CurrentEnd", 0.0),
        "loop_start": number(element.find("Loop"), "LoopStart", 0.0),
        "loop_end": number(element.find("Loop"), "LoopEnd", 0.0),
        "is_looped": flag(element.find("Loop"), "LoopOn", True),
        "color": integer(element, "Color", -1), "view": "session"}
    if midi:
        notes = element.find(".//Notes")
        path = "KeyTracks/KeyTrack/Notes/MidiNoteEvent"
        count = 0 if notes is None else len(notes.findall(path))
        attributes |= {"note_count": count, "has_notes": count > 0}
    else:
        sample = element.find(".//SampleRef")
        mode = integer(element, ".//WarpMode", -1)
        attributes |= {
            "sample_name": "" if sample is None else value(sample.find("FileRef"), "Name", ""),
            "is_warped": flag(element, ".//IsWarped", False),
            "warp_mode": WARP_MODES[mode] if 0 <= mode < len(WARP_MODES) else "Unknown"}
    return node("clip", f"clip_{track}_{scene}", attributes)


def slot(outer, track, scene):
    inner = None if outer is None else outer.find("ClipSlot")
    element = outer if inner is None else inner
    content = None if element is None else element.find("Value")
    clips = [] if content is None else [each for each in content
                                        if each.tag in ("MidiClip", "AudioClip")]
    attributes = {"track_index": track, "scene_index": scene, "has_clip": bool(clips),
                  "has_stop_button": True if element is None else flag(element, "HasStop", True),
                  "playing_status": 0,
                  "color": None if element is None else color(element, "Color"),
                  "is_playing": False, "is_triggered": False}
    return node("clip_slot", None, attributes, [clip(each, track, scene) for each in clips[:1]])


def slots(track, index, scenes):
    listed = track.find(".//ClipSlotList")
    found = [] if listed is None else listed.findall("ClipSlot")
    found += [None] * (scenes - len(found))
    return [slot(each, index, scene) for scene, each in enumerate(found[:scenes])]


# --- tracks ---------------------------------------------------------------

def sends(mixer):
    holders = mixer.findall(".//Sends/TrackSendHolder")
    return [{"index": index, "level": number(each, ".//Manual", 0.0),
             "is_active": value(each, ".//On", "true").lower() == "true"}
            for index, each in enumerate(holders)]


def mixers(track, index):
    mixer = track.find(".//DeviceChain/Mixer")
    if mixer is None:
        return []
    side = integer(mixer, ".//Speaker/Crossfader", 1)
    return [node("mixer", f"mixer_{index}", {
        "volume": number(mixer, ".//Volume/Manual", 1.0),
        "pan": number(mixer, ".//Pan/Manual", 0.0),
        "is_muted": flag(track, ".//TrackMute/Manual", False),
        "is_soloed": flag(track, ".//Solo/Manual", False),
        "crossfader": {0: "A", 2: "B"}.get(side, "None"), "sends": sends(mixer)})]


def track_attributes(name, index, track_color, kind):
    return {"name": name, "index": index, "color": track_color, "is_muted": False,
            "is_soloed": False, "is_frozen": False, "type": kind}


def track(element, index, kind, default, scenes):
    name = value(element, ".//Name/EffectiveName") or \
        value(element, ".//Name/UserName", default)
    children = devices(element, index)
    if kind == "track":
        children += slots(element, index, scenes)
    return node("track", f"track_{index}",
                track_attributes(name, index, color(element, ".//Color"), kind),
                children + mixers(element, index))


def master(root, index, scenes):
    for tag in ("MasterTrack", "MainTrack"):
        found = root.find(".//" + tag)
        if found is not None:
            return track(found, index, "master", "Master", scenes)
    return node("track", f"track_{index}", track_attributes("Main", index, None, "master"))


# --- the rest -------------------------------------------------------------

def scene(element, index):
    return node("scene", None, {
        "name": value(element, ".//Name", ""), "index": index,
        "tempo": number(element, ".//Tempo", 120.0), "color": integer(element, ".//Color", -1),
        "is_tempo_enabled": flag(element, ".//IsTempoEnabled", False),
        "time_signature_id": integer(element, ".//TimeSignatureId", 201),
        "is_time_signature_enabled": flag(element, ".//IsTimeSignatureEnabled", False),
        "annotation": value(element, ".//Annotation", "")})


def first_with_value(element, *tags):
    for tag in tags:
        for each in element.iterfind(".//" + tag):
            if each.get("Value") is not None:
                return each.get("Value")
    return None


def file_ref(element, index):
    found = value(element, ".//Hash")
    return node("file_ref", f"fileref_{found[:8] if found else index}", {
        "name": first_with_value(element, "OriginalFileName", "Name"),
        "path": first_with_value(element, "Path", "RelativePath"), "hash": found,
        "ref_type": element.get("Type", "Unknown")})


def tree(text):
    root = ElementTree.fromstring(text)
    parents = {child: parent for parent in root.iter() for child in parent}
    tracks, scenes, refs = [], [], []
    for each in root.iter():
        above = parents[each].tag if each in parents else ""
        if above == "Tracks":
            tracks.append(each)
        elif (above, each.tag) == ("Scenes", "Scene"):
            scenes.append(each)
        if each.tag == "FileRef":
            refs.append(each)
    children = [track(each, index, "return" if each.tag == "ReturnTrack" else "track",
                      f"Track {index}", len(scenes)) for index, each in enumerate(tracks)]
    children.append(master(root, len(tracks), len(scenes)))
    children += [scene(each, index) for index, each in enumerate(scenes)]
    children += [file_ref(each, index) for index, each in enumerate(refs)]
    return node("project", "project", {"version": None, "creator": None}, children)
