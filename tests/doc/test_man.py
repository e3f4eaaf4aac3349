#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Man pages are well-formed and speak of every option a tool has.

usage: test_man.py FOLDER PROGRAM...

FOLDER has the pages that the build made; each built PROGRAM is asked for --help.
"""
import re
import subprocess
import sys
from pathlib import Path

import cases
import documents

OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]+)")
PROGRAM_SECTIONS = ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "EXAMPLES"]


FOLDERS = [documents.ROOT / "man", Path(sys.argv[1])]
PROGRAMS = sys.argv[2:]


def pages():
    return sorted(page for folder in FOLDERS for page in folder.glob("*.[1-9]"))


def page_of(program):
    named = [page for page in pages() if page.name == Path(program).name + ".1"]
    assert named, f"{program} has no page"
    return named[0]


def sections(page):
    text = page.read_text(encoding="utf-8")
    return [title.strip().strip('"') for title in re.findall(r"^\.S[hH] (.*)$", text, re.M)]


def plain(page):
    """The page as people read it, without overstrike."""
    text = subprocess.run(["mandoc", "-T", "utf8", str(page)], capture_output=True,
                          text=True, check=True).stdout
    return re.sub(".\b", "", text).replace("\u2010", "-")


def test_pages_pass_the_lint():
    assert pages()
    for page in pages():
        result = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(page)],
                                capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr


def test_pages_of_programs_have_their_sections():
    for page in pages():
        if page.suffix == ".1":
            missing = [title for title in PROGRAM_SECTIONS if title not in sections(page)]
            assert not missing, f"{page.name} lacks {missing}"


def test_every_program_has_a_page():
    for program in PROGRAMS:
        page_of(program)


def test_pages_name_every_option_of_help():
    for program in PROGRAMS:
        result = subprocess.run([program, "--help"], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        options = set(OPTION.findall(result.stdout))
        assert options, f"{program} --help names no option"
        described = plain(page_of(program))
        missing = sorted(option for option in options
                         if not re.search(re.escape(option) + r"(?![\w-])", described))
        assert not missing, f"{Path(program).name}.1 lacks {missing}"


cases.main(globals())
