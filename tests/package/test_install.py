#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is installed is whole: the examples compile, link and run against it, found by
pkg-config alone; the programs run where they lie, and each has its page.

usage: test_install.py BUILD | --root ROOT
"""
import os
import re
import shlex
import subprocess
import sys

from installed import environment, find, output_of, programs, ROOT, TREE, workplace

import cases

INCLUDE = re.compile(r"^#include <([\w/]+\.h)>", re.M)
# Which package's header an example includes. The first one brings the others of ours.
PACKAGES = {"astshm/writer.h": "libastshm-writer", "astshm/reader.h": "libastshm-reader",
            "lo/lo.h": "liblo"}


def examples():
    folder = find("examples/reader.c").parent
    return sorted(folder.glob("*.c"))


def exists(package):
    return subprocess.run(["pkg-config", "--exists", package], check=False).returncode == 0


def msgpack():
    """Debian 12 has it as msgpack, later ones as msgpack-c."""
    return "msgpack-c" if exists("msgpack-c") else "msgpack"


def packages(source):
    headers = INCLUDE.findall(source.read_text(encoding="utf-8"))
    found = [PACKAGES[header] for header in PACKAGES if header in headers]
    return found + ([msgpack()] if "msgpack.h" in headers else [])


def is_ours(package):
    return package.startswith("libastshm")


def can_be_built(source):
    """liblo is not there where the server is left out."""
    return all(is_ours(package) or exists(package) for package in packages(source))


def flags(package):
    """A sysroot stands before every folder that pkg-config tells, so not for others' packages."""
    return shlex.split(output_of("pkg-config", "--cflags", "--libs", package,
                                 env=environment() if is_ours(package) else None))


def compiled(source):
    needed = packages(source)
    assert needed, f"{source.name} needs no package?"
    program = os.path.join(workplace.name, source.stem)
    output_of("cc", "-std=gnu17", "-Wall", "-Werror", source, "-o", program,
              *(flag for package in needed for flag in flags(package)))
    return program


def test_installed_headers_are_those_of_the_tree():
    wanted = {path.name for path in TREE.glob("*/include/astshm/*.h")}
    assert wanted == {path.name for path in ROOT.rglob("include/astshm/*.h")}


def test_installed_examples_compile_against_what_is_installed():
    sources = [source for source in examples() if can_be_built(source)]
    assert len(sources) > 10
    for source in sources:
        compiled(source)


def test_every_example_but_the_servers_own_is_installed():
    missing = ({path.name for path in (TREE / "examples").iterdir()} - {"meson.build"} -
               {path.name for path in find("examples/reader.c").parent.iterdir()})
    assert missing == {"server-handler.c"}, missing


def test_a_program_against_the_installed_libraries_records():
    program = compiled(find("examples/example-1-basic-monitoring.c"))
    assert output_of(program, env=environment()).strip()


def test_installed_programs_tell_one_version():
    versions = set()
    for program in programs():
        told = output_of(program, "--version", env=environment())
        assert program.name in told, told
        versions.add(re.search(r"\d+\.\d+\.\d+", told)[0])
    package = output_of("pkg-config", "--modversion", "libastshm-reader", env=environment())
    assert versions == {package.strip()}, versions


def test_programs_find_their_library_without_being_told():
    """By the path in the program; packages rely on the linker's cache instead."""
    if sys.argv[1] == "--root":
        return
    bare = {key: value for key, value in os.environ.items() if key != "LD_LIBRARY_PATH"}
    for program in programs():
        output_of(program, "--version", env=bare)


def test_every_program_has_its_page():
    for program in programs():
        find(f"man1/{program.name}.1*")
    for page in ("man5/astshm-segment.5*", "man7/astshm.7*"):
        find(page)


cases.main(globals())
