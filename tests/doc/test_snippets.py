#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every C block of a document compiles.

usage: test_snippets.py COMPILER

A block with an #include is a file of its own; any other is the body of a
function that has `writer`, `reader`, `snapshot` and `error` at hand.
"""
import subprocess
import sys

import cases
import documents

INCLUDES = ["shm/include", "readers/include", "writer/include", "examples"]
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-pedantic", "-Werror",
         "-Wno-unused", "-Wno-unused-parameter", "-fsyntax-only", "-x", "c"]
PROLOGUE = """
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <astshm/writer.h>
#include "stdout-sink.h"
#include "workload.h"
void snippet(struct astshm_writer *writer, struct astshm_reader *reader,
	     struct astshm_snapshot *snapshot, struct astshm_error error);
void snippet(struct astshm_writer *writer, struct astshm_reader *reader,
	     struct astshm_snapshot *snapshot, struct astshm_error error)
{
#line 1
"""


def program(text):
    return text if "#include" in text else PROLOGUE + text + "}\n"


def compile_error(text):
    paths = [option for path in INCLUDES for option in ("-I", str(documents.ROOT / path))]
    result = subprocess.run([*sys.argv[1:], *FLAGS, *paths, "-"], input=program(text),
                            capture_output=True, text=True)
    return result.stderr if result.returncode else ""


def test_a_wrong_block_does_not_compile():
    assert compile_error("astshm_counter_add(writer, 1);\n")
    assert not compile_error("astshm_increment(writer, \"a\", 1, ASTSHM_NO_TAGS);\n")


def test_every_c_block_compiles():
    errors = []
    for path in documents.all_documents():
        for line, language, _, text in documents.blocks(path):
            message = compile_error(text) if language == "c" else ""
            if message:
                errors.append(f"{documents.name(path)}:{line}\n{message}")
    assert not errors, "\n".join(errors)


cases.main(globals())
