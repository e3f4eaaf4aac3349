#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The targets that some of a build's tests need, for ninja: one a line.

usage: needed.py BUILD [--no-suite SUITE]...

As `meson test` chooses the tests; its other options are passed over.
"""
import argparse
import json
import pathlib
import sys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--no-suite", action="append", default=[])
    given, _ = parser.parse_known_args()
    build = given.build.resolve()

    def introspect(what):
        return json.loads((build / "meson-info" / f"intro-{what}.json").read_text())

    files = {target["id"]: target["filename"] for target in introspect("targets")}
    needed = set()
    for test in introspect("tests"):
        suites = {name.partition(":")[2] for name in test["suite"]}
        if not suites & set(given.no_suite):
            needed.update(*(files[target] for target in test["depends"]))
    for path in sorted(needed):
        print(pathlib.Path(path).relative_to(build))


if __name__ == "__main__":
    sys.exit(main())
