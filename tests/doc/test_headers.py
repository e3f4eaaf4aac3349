#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each public header compiles alone, as C17 and as C++17, with gcc and clang.

writer_inline.h is the second half of writer.h and not included on its own.
"""
import shutil
import subprocess

import cases
import documents

FOLDERS = ["shm/include", "readers/include", "writer/include"]
NOT_ALONE = {"writer_inline.h"}
COMPILERS = [("gcc", "c17"), ("clang", "c17"), ("g++", "c++17"), ("clang++", "c++17")]
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]


def headers():
    found = [path for folder in FOLDERS
             for path in (documents.ROOT / folder / "astshm").glob("*.h")]
    return sorted(path.name for path in found if path.name not in NOT_ALONE)


def error_of(compiler, standard, source):
    paths = [option for path in FOLDERS for option in ("-I", str(documents.ROOT / path))]
    language = "c++" if "++" in standard else "c"
    command = [compiler, f"-std={standard}", *FLAGS, *paths, "-x", language, "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True).stderr


def errors(source_of):
    return [f"{compiler} {header}:\n{message}"
            for compiler, standard in COMPILERS if shutil.which(compiler)
            for header in headers()
            if (message := error_of(compiler, standard, source_of(header)))]


def test_public_headers_compile_alone():
    assert "writer.h" in headers() and "reader.h" in headers()
    found = errors(lambda header: f"#include <astshm/{header}>\n")
    assert not found, "\n".join(found)


def test_public_headers_compile_twice_and_without_recording():
    found = errors(lambda header: "#define ASTSHM_NO_RECORDING\n"
                   + f"#include <astshm/{header}>\n" * 2)
    assert not found, "\n".join(found)


def test_cxx_takes_tags_as_an_initializer_list():
    source = ('#include <astshm/writer.h>\n'
              'void f(astshm_writer *w) { astshm_increment(w, "a");'
              ' astshm_increment(w, "a", 2, {{"k", "v"}, {"l", "w"}}); }\n')
    for compiler in ("g++", "clang++"):
        if shutil.which(compiler):
            message = error_of(compiler, "c++17", source)
            assert not message, message


cases.main(globals())
