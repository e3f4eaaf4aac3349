#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bash completes every installed program: its options, and what may follow them.

usage: test_completion.py BUILD | --root ROOT
"""
import os
import pathlib
import pty
import re
import select
import time

from installed import environment, find, output_of, programs, workplace

import cases

OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
SHM = pathlib.Path("/dev/shm")
PATIENCE = 60


def help_of(program):
    return output_of(program, "--help", env=environment())


def completion_of(program):
    return find(f"bash-completion/completions/{program.name}")


def bash(program, script, *arguments):
    return output_of("bash", "--norc", "--noprofile", "-c", f'. "$1"; shift; {script}', "bash",
                     completion_of(program), *arguments, env=environment(), cwd=workplace.name)


def offered(program, *words):
    """What stands to choose after the words, the last of which is begun."""
    script = ('COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); '
              '_astshm_complete "$1" "${@: -1}" "${@: -2:1}"; printf "%s\\n" "${COMPREPLY[@]}"')
    return set(bash(program, script, str(program), *words).split("\n")) - {""}


def options(program):
    """Every option that --help tells in its list."""
    lines = re.findall(r"^ +(-.*?)(?:  |$)", help_of(program), re.M)
    found = {name for line in lines for name in OPTION.findall(line)}
    assert {"--help", "--version"} <= found, found
    return found


def options_with_arguments(program):
    """Pairs of an option and the word for what follows it."""
    return re.findall(r"^ +(?:-\w, )?(--[\w-]+) ([A-Z].*?)(?:  |$)", help_of(program), re.M)


def test_every_program_has_its_completion():
    for program in programs():
        assert f"complete -F _astshm_complete {program.name}\n" in \
            completion_of(program).read_text(encoding="utf-8")


def test_options_are_those_of_help():
    for program in programs():
        assert offered(program, "-") == options(program), program.name
        assert offered(program, "--ver") == {"--version"}


def test_somebody_thought_of_every_word_that_help_uses():
    """Where this fails, _astshm_values in packaging/completion.bash.in lacks a word."""
    script = ('declare -A argument=() choices=(); _astshm_read_help "$1"; '
              '_astshm_values "${argument[$2]}" "${choices[$2]-}" "" >/dev/null && '
              'printf "%s" "${argument[$2]}"')
    asked = 0
    for program in programs():
        for option, word in options_with_arguments(program):
            assert bash(program, script, program, option) == word, (program.name, option)
            asked += 1
    assert asked > 10


def test_an_unknown_word_is_told():
    assert bash(programs()[0], "_astshm_values NOVEL '' '' || echo told").strip() == "told"


def test_formats_and_levels_are_those_of_help():
    cat = find("bin/astshm-cat")
    formats = {"json", "msgpack", "prometheus", "summary", "table"}
    for words in (["--format", ""], ["-f", ""], ["--format", "="], ["--format", "=", ""]):
        assert offered(cat, *words) == formats, words
    assert offered(cat, "--format", "=", "j") == {"json"}
    server = [program for program in programs() if program.name == "ast-server"]
    for program in server:
        assert offered(program, "--log-level", "") == {"error", "warning", "info", "debug"}


def test_the_program_takes_every_field_that_is_offered():
    cat = find("bin/astshm-cat")
    fields = offered(cat, "--sort", "")
    assert len(fields) > 10
    for field in fields:
        absent = f"absent-{os.getpid()}"
        output_of(cat, "--sort", field, absent, status=3, env=environment())


def test_a_segments_name_is_offered_and_never_carried_out():
    folder = pathlib.Path(workplace.name)
    name = f"test-completion-{os.getpid()} $(touch carried-out) `touch carried-out`"
    (SHM / f"astshm.{name}").touch()
    try:
        for program in ("astshm-cat", "astshm-ls"):
            assert name in offered(find(f"bin/{program}"), "test-completion-")
    finally:
        (SHM / f"astshm.{name}").unlink()
    assert not (folder / "carried-out").exists()


def test_operands_are_those_of_help():
    folder = pathlib.Path(workplace.name)
    (folder / "operand song.als").touch()
    assert offered(find("bin/astshm-cat"), "operand") == {"operand song.als"}
    assert offered(find("bin/astshm-ls"), "operand") == set()
    assert offered(find("bin/astshm-ls"), "./operand") == {"./operand song.als"}


def read_until(terminal, wanted):
    said, end = "", time.monotonic() + PATIENCE
    while wanted not in said:
        assert time.monotonic() < end, f"{wanted!r} never came: {said!r}"
        if select.select([terminal], [], [], 0.1)[0]:
            said += os.read(terminal, 4096).decode()


def test_the_tab_key_completes():
    """At a terminal, found by bash-completion where it is installed."""
    cat = find("bin/astshm-cat")
    loader = pathlib.Path("/usr/share/bash-completion/bash_completion")
    script = loader if loader.exists() else completion_of(cat)
    folder = completion_of(cat).parents[2]
    path = f"{cat.parent}:{os.environ['PATH']}"
    start = pathlib.Path(workplace.name) / "start"
    start.write_text(f". {script}\nPS1='ready> '\n", encoding="utf-8")
    command = ["bash", "--noprofile", "--rcfile", str(start), "-i"]
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("bash", command, environment(PATH=path, XDG_DATA_DIRS=str(folder), TERM="dumb"))
    try:
        read_until(terminal, "ready> ")
        os.write(terminal, b"astshm-cat --requ\t")
        read_until(terminal, "--require-live ")
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
        os.close(terminal)


cases.main(globals())
