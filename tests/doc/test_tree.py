#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may include whom, and what every source file begins with."""
import re

import cases
import documents

# A folder of the tree and the folders whose headers it may include.
ARROWS = {
    "shm": {"shm"},
    "readers": {"readers", "shm"},
    "writer": {"writer", "readers", "shm"},
    "tools": {"tools", "readers", "shm"},
    "server": {"server", "writer/include", "readers/include", "shm/include"},
    "examples": {"examples", "server", "writer/include", "readers/include", "shm/include"},
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+["<]([^">]+)[">]', re.M)
SOURCES = {".c", ".h", ".py", ".build", ".sh"}
NOT_SOURCE = ("build", ".git", "obj-", "debian")  # the latter two: of packages


def files(folder=""):
    for path in sorted((documents.ROOT / folder).rglob("*")):
        parts = path.relative_to(documents.ROOT).parts
        if path.is_file() and not parts[0].startswith(NOT_SOURCE) and "node_modules" not in parts:
            yield path


def headers_by_name():
    """Where a header of ours lives, by each name it can be included under."""
    places = {}
    for path in files():
        if path.suffix != ".h":
            continue
        parts = path.relative_to(documents.ROOT).parts
        for start in range(len(parts)):
            places.setdefault("/".join(parts[start:]), set()).add("/".join(parts))
    return places


def allowed(header, folder):
    return any(header.startswith(place + "/") for place in ARROWS[folder])


def wrong_includes(folder, text, places):
    """Includes that can only mean a header of a folder that is out of reach."""
    for name in INCLUDE.findall(text):
        if name in places and not any(allowed(place, folder) for place in places[name]):
            yield name


def test_the_check_sees_a_wrong_include():
    places = headers_by_name()
    assert list(wrong_includes("readers", "#include <astshm/writer.h>\n", places))
    assert list(wrong_includes("shm", "#include <astshm/reader.h>\n", places))
    assert list(wrong_includes("server", '#include "segment.h"\n', places))
    assert not list(wrong_includes("writer", "#include <astshm/reader.h>\n", places))


def test_includes_follow_the_arrows():
    places = headers_by_name()
    wrong = [(documents.name(path), name)
             for folder in ARROWS for path in files(folder) if path.suffix in {".c", ".h"}
             for name in wrong_includes(folder, path.read_text(encoding="utf-8"), places)]
    assert not wrong, wrong


def is_source(path):
    return path.suffix in SOURCES or path.name in {"run", "check"}


def test_every_source_names_its_licence():
    bare = [documents.name(path) for path in files() if is_source(path) and
            "SPDX-License-Identifier: MIT" not in "".join(
                path.read_text(encoding="utf-8").splitlines()[:3])]
    assert not bare, bare


def columns(line):
    return len(line.expandtabs(8))


def test_lines_end_by_column_100():
    wide = [f"{documents.name(path)}:{number}"
            for path in files() if path.suffix in {".c", ".h", ".py"} and not generated(path)
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if columns(line) > 100]
    assert not wide, wide


def generated(path):
    return "generated" in path.read_text(encoding="utf-8")[:400].lower()


cases.main(globals())
