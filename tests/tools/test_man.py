#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The manual pages say what the programs say."""
import re
import shutil
import subprocess

import harness
from harness import case, check, equal

PAGES = ("astshm-cat", "astshm-ls")
MORE_PAGES = ("astshm-alert",) # of programs that may be left out of a build


def programs(t):
    """Those that were built, each with how to run it."""
    return [(name, run) for name, run, exe in (
        ("astshm-alert", t.alert, t.tools.alert), ("astshm-cat", t.cat, t.tools.cat),
        ("astshm-ls", t.ls, t.tools.ls)) if exe]


def page_text(t, program):
    return (t.tools.man / f"{program}.1").read_text()


def help_options(text):
    """Option names of --help: 'f', 'format', ..."""
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", text)) | set(
        re.findall(r"^ +-([a-zA-Z]),", text, re.M))


def man_options(text):
    """Option names that an .It line of the page introduces."""
    names = set()
    for line in text.splitlines():
        if line.startswith(".It Fl"):
            names |= set(re.findall(r"Fl Fl ([a-z][a-z-]*)", line))
            names |= set(re.findall(r"Fl ([a-zA-Z]) ", line))
    return names


@case
def every_option_of_help_is_in_the_page_and_the_other_way_round(t):
    for program, run in programs(t):
        told, written = help_options(run("--help").out), man_options(page_text(t, program))
        check(len(told) >= 4, "no options found in --help")
        equal(told, written, program)


@case
def arguments_of_options_agree(t):
    written = page_text(t, "astshm-cat")
    for name, argument in re.findall(r"--([a-z-]+) ([A-Z]+)", t.cat("--help").out):
        line = next(l for l in written.splitlines()
                    if l.startswith(".It") and f"Fl Fl {name}" in l)
        wanted = "Cm json" if argument == "FORMAT" else f"Ar {argument}"
        check(wanted in line, name, line)


@case
def every_exit_status_is_in_the_page(t):
    for program, statuses in (("astshm-alert", "0123"), ("astshm-cat", "01234567 8"),
                              ("astshm-ls", "0123456")):
        section = page_text(t, program).split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
        numbers = "".join(re.findall(r"^\.It (.*)$", section, re.M))
        for status in statuses.replace(" ", ""):
            check(status in numbers, program, status)


@case
def pages_have_all_sections(t):
    for program in PAGES + MORE_PAGES:
        sections = re.findall(r"^\.Sh (.*)$", page_text(t, program), re.M)
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES",
                        "SEE ALSO"):
            check(section in sections, program, "has no", section)


@case
def pages_pass_mandoc(t):
    if not shutil.which("mandoc"):
        raise harness.Skip("needs mandoc")
    for program in PAGES + MORE_PAGES:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                               t.tools.man / f"{program}.1"], capture_output=True, text=True)
        equal((done.returncode, done.stdout), (0, ""), program)


if __name__ == "__main__":
    harness.main()
