#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sample sets beside the checkout give the trees that are expected of them.

usage: test_golden.py SERVER FOLDER    (FOLDER: the samples; absent: skipped)
"""
import json
import pathlib
import subprocess
import sys

RANDOM_IDS = ("scene", "clip_slot")


def printed(server, option, path):
    return json.loads(subprocess.run([server, option, path], check=True,
                                     capture_output=True).stdout)


def comparable(node):
    """Without what is opaque; as text, so that the order of fields counts."""
    node.pop("hash", None)
    if node["node_type"] in RANDOM_IDS:
        node["id"] = node["node_type"]
    for child in node["children"]:
        comparable(child)
    return node


def check(server, path):
    expected = json.loads(path.with_name(f"EXPECTED-{path.stem}.json").read_text())
    tree = expected.get("tree_main", expected["tree"])
    got = comparable(printed(server, "--ast", path))
    assert json.dumps(got) == json.dumps(comparable(tree)), "tree differs"
    info = printed(server, "--info", path)
    assert info.pop("file") == str(path) and len(info.pop("root_hash")) == 64
    assert info == expected.get("info_main", expected["info"]), "info differs"


def main():
    server, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    sets = sorted(folder.glob("*.als")) if folder.is_dir() else []
    if not sets:
        print(f"skipped: no sample sets in {folder}")
        return 77
    failed = 0
    for path in sets:
        try:
            check(server, path)
            print("ok", path.stem, flush=True)
        except Exception as error:
            print("not ok", path.stem, error, flush=True)
            failed += 1
    return 1 if failed else 0


sys.exit(main())
