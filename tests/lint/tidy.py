#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-tidy on what a build compiles, by .clang-tidy.

usage: tidy.py [--nodes N] [--jobs N] BUILD [FOLDER...]

--nodes bounds what the path-sensitive analyzer explores of each function, 225000
unless told; 0 leaves it out. FOLDER is one of the tree; without one it is all of it.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
AT_A_TIME = 4
ANALYZER_OFF = ["--checks=-clang-analyzer-*"]
# Else it finds fault with what liburcu inlines.
RCU_AS_CALLS = ["--extra-arg=-DWRITER_RCU_CALLS"]


def sources(build, folders):
    """The sources that the build compiles from these folders."""
    wanted = [ROOT / folder for folder in folders] or [ROOT]
    with open(build / "compile_commands.json", encoding="utf-8") as database:
        found = {pathlib.Path(os.path.normpath(os.path.join(entry["directory"], entry["file"])))
                 for entry in json.load(database)}
    return sorted(source for source in found
                  if build not in source.parents
                  and any(folder in source.parents for folder in wanted))


def findings(build, options, some):
    """What clang-tidy says of some sources, and its exit status."""
    run = subprocess.run(["clang-tidy", "-p", build, "--quiet", *RCU_AS_CALLS, *options, *some],
                         capture_output=True, text=True)
    return run.returncode, run.stdout if run.returncode == 0 else run.stdout + run.stderr


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--nodes", type=int, default=225000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("build", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("folder", nargs="*")
    arguments = parser.parse_args()
    options = ANALYZER_OFF
    if arguments.nodes:
        options = [f"--extra-arg={option}" for option in
                   ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={arguments.nodes}")]
    found = sources(arguments.build, arguments.folder)
    if not found:
        sys.exit("no sources: is that a build, and is it configured?")
    parts = [found[at:at + AT_A_TIME] for at in range(0, len(found), AT_A_TIME)]
    failed = False
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for status, text in pool.map(lambda part: findings(arguments.build, options, part), parts):
            failed = failed or status != 0
            print(text, end="", flush=True)
    name = " ".join(arguments.folder) or "everything"
    print(f"{'not ok' if failed else 'ok'} {name}: {len(found)} sources")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
