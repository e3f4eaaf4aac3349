#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints gcovr's JSON by folder, and the lines that were not run.

usage: table.py COVERAGE.JSON
"""
import json
import sys

FOLDERS = ["shm", "readers", "writer", "tools", "server"]
HEAD = ("| folder | lines | of | % | branches | of | % |\n"
        "|---|---:|---:|---:|---:|---:|---:|")


def counts(file):
    """Lines run, lines; branches taken, branches; numbers of lines not run."""
    lines = [line for line in file["lines"] if not line.get("gcovr/noncode")]
    branches = [branch for line in lines for branch in line["branches"]]
    missed = [line["line_number"] for line in lines if not line["count"]]
    return (len(lines) - len(missed), len(lines),
            sum(branch["count"] > 0 for branch in branches), len(branches)), missed


def row(name, numbers):
    cells = []
    for done, of in (numbers[:2], numbers[2:]):
        cells += [f"{done:,}", f"{of:,}", f"{100 * done / max(of, 1):.1f}"]
    return f"| {name} | {' | '.join(cells)} |"


def main(path):
    with open(path, encoding="utf-8") as text:
        files = {file["file"]: counts(file) for file in json.load(text)["files"]}
    total = (0, 0, 0, 0)
    print(HEAD)
    for folder in FOLDERS:
        inside = [numbers for name, (numbers, _) in files.items()
                  if name.startswith(folder + "/")]
        summed = tuple(map(sum, zip(*inside)))
        total = tuple(map(sum, zip(total, summed)))
        print(row(f"`{folder}/`", summed))
    print(row("**together**", total))
    print()
    for name, (_, missed) in sorted(files.items()):
        if missed:
            print(f"{name}: {' '.join(map(str, missed))}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
