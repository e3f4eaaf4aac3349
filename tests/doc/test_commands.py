#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands that documents tell people to type are ones the tools know.

usage: test_commands.py FOLDER_OF_THE_TOOLS

Each line of a ```sh block that begins with one of our tools is run against a
segment that does not exist: exit status 3 (or 1 where a file is missing), but
never 2, which is a usage error. astshm-alert, which would watch it for ever and
whose usage errors are 3, is asked to --check, with rules that exist. The rules in
```rules blocks and in its manual are sound.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

import cases
import documents

TOOLS = {"astshm-alert", "astshm-cat", "astshm-ls"}
OPTIONAL = {"astshm-top"}  # built where ncursesw is
RULES = documents.ROOT / "tools/astshm-alert/ast-server.rules"
SEGMENTS = {"ast-server", "demo", "NAME"}
USAGE = 2


def first_command(line):
    """The words of the line up to a pipe, redirection or comment."""
    words = shlex.split(line, comments=True)
    end = next((i for i, word in enumerate(words) if word in {"|", ">", "&&", ";"}), len(words))
    return words[:end]


def is_ours(word):
    return word in TOOLS or (word in OPTIONAL and os.path.exists(os.path.join(sys.argv[1], word)))


def commands():
    for path in documents.all_documents():
        for start, language, _, text in documents.blocks(path):
            if language != "sh":
                continue
            for number, line in enumerate(re.sub(r"\\\n", "  ", text).splitlines(), start + 1):
                words = first_command(line.strip())
                if words and is_ours(words[0]):
                    yield f"{documents.name(path)}:{number}", words


def with_rules(words):
    """The command with files of rules that exist, to be checked alone."""
    named = [RULES if before == "--rules" else word for before, word in zip(["", *words], words)]
    has_rules = {"-r", "--rule", "--rules"} & set(words)
    return [*named, "--check", *([] if has_rules else ["--rules", RULES])]


def status(words, folder):
    if words[0] == "astshm-alert":
        result = subprocess.run([os.path.join(sys.argv[1], words[0]), *with_rules(words)[1:]],
                                cwd=folder, capture_output=True, text=True, timeout=120)
        return USAGE if result.returncode else 0, result.stderr
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
            if not os.path.exists(os.path.join(sys.argv[1], words[0])):
                continue # left out of this build
            code, message = status(words, folder)
            assert code != USAGE, f"{place}: {shlex.join(words)}: {message}"
            checked += 1
    assert checked > 5, f"only {checked} commands found"


def test_a_wrong_option_is_a_usage_error():
    with tempfile.TemporaryDirectory() as folder:
        code, _ = status(["astshm-cat", "--no-such-option", "demo"], folder)
    assert code == USAGE


def has_alert():
    return os.path.exists(os.path.join(sys.argv[1], "astshm-alert"))


def rules():
    for path in documents.all_documents():
        for start, language, _, text in documents.blocks(path):
            if language == "rules":
                yield f"{documents.name(path)}:{start}", text
    page = (documents.ROOT / "man/astshm-alert.1").read_text(encoding="utf-8")
    examples = page.split(".Sh EXAMPLES")[1]
    yield "astshm-alert.1", re.search(r"\.Bd.*?\n(.*?)\.Ed", examples, re.S)[1]


def test_documented_rules_are_sound():
    places = dict(rules())
    assert len(places) > 1
    for place, text in places.items() if has_alert() else []:
        result = subprocess.run([os.path.join(sys.argv[1], "astshm-alert"), "--check", "--rules",
                                 "-"], input=text, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, f"{place}: {result.stderr}"


def test_a_wrong_rule_is_seen():
    if has_alert():
        code, _ = status(["astshm-alert", "-r", "a >", "ast-server"], ".")
        assert code == USAGE


cases.main(globals())
