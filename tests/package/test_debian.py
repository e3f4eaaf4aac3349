#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""debian/ tells of the tree as it is.

usage: test_debian.py VERSION WRITER_LIBRARY READER_LIBRARY
"""
import os
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests" / "doc"))

import cases

DEBIAN = TREE / "debian"
VERSION = sys.argv[1]
LIBRARIES = dict(zip(("writer", "reader"), sys.argv[2:]))


def exported(library):
    told = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library],
                          capture_output=True, text=True, check=True).stdout
    # "ADDRESS TYPE NAME@@VERSION"; a version itself is "ADDRESS A VERSION".
    names = [line.split()[2].replace("@@", "@") for line in told.splitlines()]
    return {name if "@" in name else f"{name}@{name}" for name in names}


def listed(name):
    lines = (DEBIAN / f"libastshm-{name}1.symbols").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == [f"libastshm-{name}.so.1 libastshm-{name}1 #MINVER#",
                         "* Build-Depends-Package: libastshm-dev"], lines[:2]
    return {re.fullmatch(r" (\S+) \d+\.\d+\.\d+", line)[1] for line in lines[2:]}


def difference(name):
    """What to do, a line each."""
    have, told = exported(os.path.realpath(LIBRARIES[name])), listed(name)
    assert "ASTSHM_1@ASTSHM_1" in have and len(have) > 20, have
    return "\n".join([f"add the line: {symbol} {VERSION}" for symbol in sorted(have - told)] +
                     [f"gone, which breaks programs: {symbol}" for symbol in sorted(told - have)])


def test_symbols_of_the_writer_are_those_it_exports():
    assert not difference("writer"), difference("writer")


def test_symbols_of_the_reader_are_those_it_exports():
    assert not difference("reader"), difference("reader")


def test_the_newest_entry_of_the_changelog_is_of_this_version():
    first = (DEBIAN / "changelog").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"astshm ({VERSION}) "), first


def test_what_packages_are_built_with_is_what_the_tree_is_built_with():
    """So that a library that the tree comes to need is not missing where packages are built."""
    control = (DEBIAN / "control").read_text(encoding="utf-8")
    field = re.search(r"^Build-Depends:(.*?)^\w", control, re.M | re.S)[1]
    needed = {word.split()[0] for word in field.split(",")}
    setup = (TREE / "setup/packages.sh").read_text(encoding="utf-8")
    told = set(re.search(r"^build_packages=\((.*?)\)", setup, re.M | re.S)[1].split())
    # Of ./run alone, or of every build of a package.
    told -= {"gcc", "ninja-build", "python3-msgpack", "python3-websockets"}
    needed -= {"debhelper-compat", "dh-sequence-installsysusers"}
    assert needed == told, needed ^ told


cases.main(globals())
