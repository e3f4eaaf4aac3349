#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands that documents tell people to type are ones the tools know.

usage: test_commands.py FOLDER_OF_THE_TOOLS

Each line of a ```sh block that begins with one of our tools is run against a
segment that does not exist: exit status 3 (or 1 where a file is missing), but
never 2, which is a usage error.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

import cases
import documents

TOOLS = {"astshm-cat", "astshm-ls"}
SEGMENTS = {"ast-server", "demo", "NAME"}
USAGE = 2


def first_command(line):
    """The words of the line up to a pipe, redirection or comment."""
    words = shlex.split(line, comments=True)
    end = next((i for i, word in enumerate(words) if word in {"|", ">", "&&", ";"}), len(words))
    return words[:end]


def commands():
    for path in documents.all_documents():
        for start, language, _, text in documents.blocks(path):
            if language != "sh":
                continue
            for number, line in enumerate(re.sub(r"\\\n", "  ", text).splitlines(), start + 1):
                words = first_command(line.strip())
                if words and words[0] in TOOLS:
                    yield f"{documents.name(path)}:{number}", words


def status(words, folder):
    absent = f"absent-{os.getpid()}"
    command = [os.path.join(sys.argv[1], words[0]),
               *(absent if word in SEGMENTS else word for word in words[1:])]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120,
                            stdin=subprocess.DEVNULL)
    return result.returncode, result.stderr


def test_no_documented_command_is_a_usage_error():
    checked = 0
    with tempfile.TemporaryDirectory() as folder:
        for place, words in commands():
            code, message = status(words, folder)
            assert code != USAGE, f"{place}: {shlex.join(words)}: {message}"
            checked += 1
    assert checked > 5, f"only {checked} commands found"


def test_a_wrong_option_is_a_usage_error():
    with tempfile.TemporaryDirectory() as folder:
        code, _ = status(["astshm-cat", "--no-such-option", "demo"], folder)
    assert code == USAGE


cases.main(globals())
