#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: test_install.py BUILD_ROOT

Programs compile, link and run against what `meson install` leaves, found by
pkg-config alone; the installed tools run where they lie.
"""
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

import cases
import documents

BUILD = pathlib.Path(sys.argv[1])
EXAMPLES = documents.ROOT / "examples"
workplace = tempfile.TemporaryDirectory()
STAGE = pathlib.Path(workplace.name) / "stage"


def output_of(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    assert result.returncode == 0, f"{shlex.join(map(str, command))}\n{result.stderr}"
    return result.stdout


def installed(pattern):
    found = sorted(STAGE.rglob(pattern))
    assert found, f"{pattern} was not installed"
    return found[0]


def environment():
    return {**os.environ, "PKG_CONFIG_SYSROOT_DIR": str(STAGE),
            "PKG_CONFIG_PATH": str(installed("libastshm-writer.pc").parent),
            "LD_LIBRARY_PATH": str(installed("libastshm-writer.so").parent)}


def compiled(source, package):
    flags = shlex.split(output_of("pkg-config", "--cflags", "--libs", package,
                                  env=environment()))
    program = pathlib.Path(workplace.name) / source.stem
    output_of("cc", "-std=gnu17", source, "-o", program, *flags)
    return program


def test_meson_install_leaves_headers_libraries_and_pages():
    output_of("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", STAGE)
    for pattern in ("astshm/writer.h", "astshm/reader.h", "astshm/layout.h",
                    "libastshm-reader.pc", "astshm-cat.1", "astshm-segment.5", "astshm.7"):
        installed(pattern)


def test_examples_link_by_pkg_config_alone():
    for source in sorted(EXAMPLES.glob("example-*.c")):
        compiled(source, "libastshm-writer")
    compiled(EXAMPLES / "reader.c", "libastshm-reader")


def test_a_program_against_the_installed_libraries_records():
    program = compiled(EXAMPLES / "example-1-basic-monitoring.c", "libastshm-writer")
    assert output_of(program, env=environment()).strip()


def test_installed_tools_find_their_library():
    bare = {key: value for key, value in os.environ.items() if key != "LD_LIBRARY_PATH"}
    assert "astshm-cat" in output_of(installed("astshm-cat"), "--version", env=bare)


cases.main(globals())
