# SPDX-License-Identifier: MIT
"""A client's own copy of the tree: a FULL_AST, and every diff applied to it.

It knows of events what doc/websocket.md tells clients, and nothing else; what
it comes to must be what a new client is sent.
"""
import re

from client import without_hashes


def numbers(path):
    """tracks[1].devices[2] -> [1, 2]"""
    return [int(number) for number in re.findall(r"\[(-?\d+)]", path)]


class CopiedTree:
    def __init__(self, ast):
        self.root = without_hashes(ast)
        self.nodes, self.parents = {}, {}
        self.index(self.root, None)

    def index(self, node, parent):
        self.nodes[node["id"]], self.parents[node["id"]] = node, parent
        for child in node["children"]:
            self.index(child, node)

    def apply(self, diff):
        assert diff["unchanged"] == []
        for change in diff["changes"]:
            getattr(self, change["type"])(change)

    def modified(self, change):
        attributes = self.nodes[change["node_id"]]["attributes"]
        for key, value in change["old_value"].items():
            assert attributes[key] == value, (change, attributes)
        attributes.update(change["new_value"])
        if "playing_status" in change["new_value"]:
            attributes.update(playing(change["new_value"]["playing_status"]))

    def state_changed(self, change):
        if "param_index" in change:
            if change["node_id"] in self.nodes:  # else: held back for longer than it lived
                set_parameter(self.nodes[change["node_id"]], change["param_index"],
                              change["new_value"])
            return
        node = self.nodes[change["node_id"]]
        # What is held back tells the value before its last event, not before the burst.
        if change["attribute"] != "tempo":
            assert node["attributes"].get(change["attribute"]) == change["old_value"], change
        node["attributes"][change["attribute"]] = change["new_value"]

    def removed(self, change):
        node = self.nodes[change["node_id"]]
        parent = self.parents[node["id"]]
        assert parent["id"] == change["parent_id"], change
        parent["children"].remove(node)
        self.forget(node)

    def forget(self, node):
        del self.nodes[node["id"]], self.parents[node["id"]]
        for child in node["children"]:
            self.forget(child)

    def added(self, change):
        parent = self.nodes[change["parent_id"]]
        node = {"node_type": change["node_type"], "id": change["node_id"],
                "attributes": ATTRIBUTES[change["node_type"]](change["new_value"]),
                "children": []}
        at = POSITIONS[change["node_type"]](parent["children"], numbers(change["path"]))
        parent["children"].insert(at, node)
        self.index(node, parent)


def playing(status):
    return {"is_playing": status == 1, "is_triggered": status == 2}


def set_parameter(device, number, value):
    parameters = device["attributes"].setdefault("parameters", [])
    while len(parameters) <= number:
        parameters.append({"value": 0, "name": "Unknown"})
    parameters[number]["value"] = value


def device(new_value):
    return {**new_value, "device_type": "unknown", "is_enabled": True}


def scene(new_value):
    return {**new_value, "tempo": None}


def clip_slot(new_value):
    """The one thing that a diff leaves out is has_stop_button: always true here."""
    return {**new_value, "has_stop_button": True, "color": None,
            **playing(new_value["playing_status"])}


def first(children, matches):
    """Where the first child stands that matches, or the end."""
    return next((at for at, child in enumerate(children) if matches(child)), len(children))


def device_position(children, path):
    devices = [at for at, child in enumerate(children) if child["node_type"] == "device"]
    return devices[path[1]] if path[1] < len(devices) else len(devices)


def scene_position(children, path):
    return first(children, lambda child: child["node_type"] == "file_ref" or (
        child["node_type"] == "scene" and child["attributes"]["index"] > path[0]))


def slot_position(children, path):
    return first(children, lambda child: child["node_type"] == "mixer" or (
        child["node_type"] == "clip_slot" and child["attributes"]["scene_index"] > path[1]))


ATTRIBUTES = {"device": device, "scene": scene, "clip_slot": clip_slot}
POSITIONS = {"device": device_position, "scene": scene_position, "clip_slot": slot_position}


def difference(one, other):
    """The first place where two trees differ, for people; None: nowhere."""
    for key in ("id", "attributes"):
        if one[key] != other[key]:
            return f"{one['id']}: {one[key]} is not {other[key]}"
    ids = [[child["id"] for child in node["children"]] for node in (one, other)]
    if ids[0] != ids[1]:
        return f"below {one['id']}: {ids[0]} is not {ids[1]}"
    return next(filter(None, map(difference, one["children"], other["children"])), None)
