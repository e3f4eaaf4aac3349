#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""doc/segment.md against what the compiler made of <astshm/layout.h>.

usage: test_layout.py PRINT_LAYOUT LAYOUT_H SEGMENT_MD

Three sources say what a segment looks like: the header's text, the offsets a
compiler gives it (print_layout.c), and the document. Each pair must agree, in
every field and constant and in their order.
"""

import re
import subprocess
import sys

HEADING = re.compile(r"^#+ struct (\w+), (\d+) bytes$")
FIELD_ROW = re.compile(r"^\| (\d+) \| (\d+) \| `(\w+)` \|")
CONSTANT_ROW = re.compile(r"^\| `(ASTSHM_\w+)` \| (\w+) \|")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
STRUCT = re.compile(r"^struct (\w+) \{\n(.*?)^\};", re.M | re.S)
MEMBER = re.compile(r"(\w+)(?:\[[^;]*\])?;")
DEFINE = re.compile(r"^#define (ASTSHM_\w+) \(?-?[0-9]", re.M)


def compiled(program):
    """{struct: (size, [(name, offset, size)])} and [(constant, value)]."""
    structs, constants = {}, []
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        what, name, *numbers = line.split()
        numbers = [int(number) for number in numbers]
        if what == "struct":
            fields = []
            structs[name] = (numbers[0], fields)
        elif what == "field":
            fields.append((name, *numbers))
        else:
            constants.append((name, numbers[0]))
    return structs, constants


def documented(text):
    structs, constants, fields = {}, [], None
    for line in text.splitlines():
        heading = HEADING.match(line)
        if heading:
            fields = []
            structs[heading[1]] = (int(heading[2]), fields)
        elif line.startswith("#"):
            fields = None
        field = FIELD_ROW.match(line)
        if field and fields is not None:
            fields.append((field[3], int(field[1]), int(field[2])))
        constant = CONSTANT_ROW.match(line)
        if constant:
            constants.append((constant[1], int(constant[2], 0)))
    return structs, constants


def declared(text):
    """Names alone: {struct: [field]} and [constant]."""
    text = COMMENT.sub("", text)
    structs = {name: MEMBER.findall(body) for name, body in STRUCT.findall(text)}
    return structs, DEFINE.findall(text)


def holes(structs):
    """Bytes of a structure that no field covers."""
    for struct, (size, fields) in structs.items():
        end = 0
        for name, offset, length in fields:
            if offset != end:
                yield f"{struct}.{name} begins at {offset}, not at {end}"
            end = offset + length
        if end != size:
            yield f"{struct} ends at {end}, not at {size}"


def differences(program, header, document):
    structs, constants = compiled(program)
    said, said_constants = documented(document)
    names, constant_names = declared(header)
    for struct in sorted({*structs, *said, *names}):
        have = structs.get(struct, (0, []))
        if said.get(struct) != have:
            yield f"{struct}: document {said.get(struct)}, compiler {have}"
        if names.get(struct) != [name for name, *_ in have[1]]:
            yield f"{struct}: header declares {names.get(struct)}, print_layout.c prints {have}"
    if sorted(said_constants) != sorted(constants):
        yield f"constants differ: {sorted(set(said_constants) ^ set(constants))}"
    if sorted(constant_names) != sorted(name for name, _ in constants):
        yield f"constants differ: {set(constant_names) ^ {name for name, _ in constants}}"
    yield from holes(structs)


def selftest(program, header, document):
    """A test that cannot fail shows nothing: each of these must be noticed."""
    wrong = [
        (header, document.replace("| 512 | 8 | `comm", "| 516 | 8 | `comm")),
        (header, re.sub(r"^\| 84 \| 4 \| `reserved0`.*\n", "", document, flags=re.M)),
        (header, document.replace("`ASTSHM_SEGMENT_ALIGN` | 64", "`ASTSHM_SEGMENT_ALIGN` | 32")),
        (header.replace("\tuint64_t epoch;", "\tuint64_t epoch;\n\tuint64_t more;"), document),
        (header + "\n#define ASTSHM_SEGMENT_MORE 1u\n", document),
    ]
    for number, case in enumerate(wrong):
        if case == (header, document) or not list(differences(program, *case)):
            yield f"self-test {number}: a wrong layout was not noticed"


def main(program, header_path, document_path):
    with open(header_path, encoding="utf-8") as file:
        header = file.read()
    with open(document_path, encoding="utf-8") as file:
        document = file.read()
    found = [*differences(program, header, document), *selftest(program, header, document)]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
