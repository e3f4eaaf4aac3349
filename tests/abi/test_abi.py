#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds today's headers and libraries against tests/data/abi-1.txt.

usage: test_abi.py [--write] WRITER_LIBRARY READER_LIBRARY

The file says what programs of the first release rely on: exported symbols with
their version and the size of objects, offset and size of every member of every
public struct, every constant. Whatever it names must be as it says. More may
come: new functions, new structs and constants, and members behind those of a
struct that begins with its size. Anything else is another soname, and a file
of its own.

--write prints the file for these headers and libraries. It is for a release.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests/data"
FROZEN = DATA / "headers-1.0/astshm"
RECORD = DATA / "abi-1.txt"
FOLDERS = ["shm/include", "readers/include", "writer/include"]
STRUCT = re.compile(r"^struct (astshm_\w+) \{(.*?)\n?\};", re.M | re.S)
ENUM = re.compile(r"^enum (astshm_\w+) \{(.*?)\n\};", re.M | re.S)
DEFINE = re.compile(r"^#define (ASTSHM_\w+)[ \t]+(0x[0-9a-f]+u?l*|\d+u?)\b", re.M)
# Of a build, and what a later minor version of the segment may raise.
NOT_ABI = {"ASTSHM_TSAN", "ASTSHM_X86_ASM", "ASTSHM_SEGMENT_MINOR"}
INLINE = re.compile(r"^static inline [\w *]*?(astshm_\w+)\(", re.M)


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def headers(folder):
    """The C part of each header."""
    for path in sorted(folder.glob("*.h")):
        text = without_comments(path.read_text(encoding="utf-8"))
        yield path, re.sub(r"#ifdef __cplusplus.*?#e(?:lse|ndif)", "", text, flags=re.S)


def members(body):
    """Names in a struct's body; a union's members belong to the struct."""
    body = re.sub(r"\bunion \{|\}", "", body)
    for declaration in body.split(";"):
        pointer = re.search(r"\(\*(\w+)\)", declaration)
        if pointer:
            yield pointer[1]
            continue
        for part in declaration.split(","):
            name = re.search(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$", part.strip())
            if name:
                yield name[1]


def described(folder):
    """C expressions for everything that the headers of a folder say."""
    for _, text in headers(folder):
        for name, body in STRUCT.findall(text):
            yield f"struct {name} size", f"sizeof(struct {name})"
            for member in members(body):
                if member.startswith("reserved"): # until it is used
                    continue
                at = f"((struct {name} *)0)->{member}"
                yield f"offset {name}.{member}", f"offsetof(struct {name}, {member})"
                yield f"size {name}.{member}", f"sizeof({at})"
        for _, body in ENUM.findall(text):
            for name in re.findall(r"\b(ASTSHM_\w+)\b(?= *=|,|\s*$)", body, re.M):
                yield f"constant {name}", f"(unsigned long long){name}"
        for name, _ in DEFINE.findall(text):
            if name in NOT_ABI:
                continue
            yield f"constant {name}", f"(unsigned long long){name}"
    yield "constant ASTSHM_ABI", "(unsigned long long)ASTSHM_ABI"


def measure(things, include):
    """What the compiler makes of the expressions."""
    compiler = os.environ.get("CC", "").split() or [shutil.which("cc") or "gcc"]
    lines = "".join(f'\tprintf("%s %llu\\n", "{what}", (unsigned long long)({expression}));\n'
                    for what, expression in things)
    source = ("#include <stdio.h>\n#include <stddef.h>\n#include <astshm/writer.h>\n"
              f"int main(void)\n{{\n{lines}\treturn 0;\n}}\n")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "print"
        subprocess.run([*compiler, "-std=gnu17", *include, "-x", "c", "-", "-o", program],
                       input=source, text=True, check=True)
        return subprocess.run([program], capture_output=True, text=True,
                              check=True).stdout.splitlines()


def symbols(label, library):
    """Exported symbols; of objects the size, which old programs have copied."""
    table = subprocess.run(["readelf", "--dyn-syms", "-W", library], capture_output=True,
                           text=True, check=True).stdout
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[6] == "UND" or "@@" not in fields[7]:
            continue
        size = "" if fields[3] == "FUNC" else f" {int(fields[2], 0)}"
        yield f"symbol {label} {fields[7].replace('@@', '@')} {fields[3]}{size}"


def soname(label, library):
    text = subprocess.run(["readelf", "-d", library], capture_output=True, text=True,
                          check=True).stdout
    return f"soname {label} {re.search(r'soname: .(.*?)]', text)[1]}"


def frozen_headers():
    for path, _ in headers(FROZEN):
        yield f"header {path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def include_current():
    return [option for path in FOLDERS for option in ("-I", str(ROOT / path))]


def lines_of(libraries):
    yield from frozen_headers()
    for label, library in libraries.items():
        yield soname(label, library)
        yield from sorted(symbols(label, library))
    # What the frozen headers describe, as the compiler lays out today's.
    yield from measure(list(described(FROZEN)), include_current())


def may_grow(line):
    """The size of a struct that tells its size itself: more may follow."""
    match = re.fullmatch(r"struct (\w+) size (\d+)", line)
    return match and f"offset {match[1]}.size 0"


def differences(recorded, found):
    now, table = set(found), dict(line.rsplit(" ", 1) for line in found)
    for line in recorded:
        what, value = line.rsplit(" ", 1)
        if line in now:
            continue
        if may_grow(line) in recorded and int(table.get(what, 0)) >= int(value):
            continue
        yield f"{line}   is now: {table.get(what, 'not there')}"


def unused_inlines():
    program = (ROOT / "tests/abi/old_program.c").read_text(encoding="utf-8")
    for _, text in headers(FROZEN):
        for name in INLINE.findall(text):
            if not re.search(rf"\b{name}\(", program):
                yield name


def report(name, wrong):
    print("not ok" if wrong else "ok", name)
    for line in wrong:
        print("   ", line)
    return not wrong


def main(arguments):
    write = "--write" in arguments
    writer, reader = [argument for argument in arguments if argument != "--write"]
    found = list(lines_of({"writer": writer, "reader": reader}))
    if write:
        print("\n".join(found))
        return 0
    recorded = RECORD.read_text(encoding="utf-8").splitlines()
    good = report("recorded_abi_is_not_empty",
                  [] if len(recorded) > 500 else ["too few lines to be all"])
    good &= report("what_the_first_release_had_is_as_it_was", list(differences(recorded, found)))
    good &= report("old_program_uses_every_inline_function", list(unused_inlines()))
    changed = [line.replace(" 8", " 9", 1) for line in recorded if line.startswith("offset")]
    good &= report("a_change_is_seen", [] if list(differences(changed, found)) else ["no"])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
