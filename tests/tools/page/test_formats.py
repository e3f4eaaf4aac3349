#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The page writes numbers as astshm-top does: test_formats.py PROGRAM FORMAT.JS"""
import pathlib
import random
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
EDGES = [0, 1, 9, 10, 99, 100, 999, 1000, 1023, 1024, 1025, 59999, 60000, 99999, 100001, 9999999,
         10000000, 123456789, 0.001, 0.0099, 0.01, 0.0994, 0.1, 0.25, 9.994, 9.996, 99.94, 99.96,
         999.4, 999.6, 5e8, 59e9, 60e9, 61.4e9, 3599e9, 3601e9, 86399e9, 90061e9]


def is_fair(word, value):
    """Neither a tie, which the two languages round differently, nor beyond what seconds can hold
    to the nanosecond as a double."""
    if word in ("age", "span"):
        return 0 <= value < 1e15
    if word == "time" and abs(value) < float("inf"):
        return 1 <= abs(value) < 1e13 and abs(value) * 2 % 1 or float(value).is_integer() and \
            abs(value) < 1e13
    if word == "moment":
        return abs(value) < 1e15
    return word != "percent" or not 1e9 < abs(value) < float("inf")


def lines(seed, how_many=4000):
    chance = random.Random(seed)
    values = [*EDGES, *(-edge for edge in EDGES if edge), float("nan"), float("inf"),
              float("-inf")]
    values += [chance.uniform(1, 10) * 10 ** chance.randint(-6, 15) for _ in range(how_many)]
    whole = (chance.randint(0, 10 ** chance.randint(1, 15)) for _ in range(how_many))
    values += [value for value in whole if value % 5 and value % 64]  # else: ties
    for value in values:
        for word in ("count", "rate", "time", "bytes", "percent", "age", "span", "moment"):
            # Means of times have a thousandth of a nanosecond.
            number = round(value, 3) if word == "time" else value
            if not is_fair(word, number):
                continue
            number = round(number) if word in ("age", "span", "moment") else number
            for units in ("auto", "milli", "base") if word in ("count", "rate", "time") else \
                    ("auto",):
                yield f"{word} {units} {number!r}"


def alike(text, units):
    """Without what a page may do otherwise: blanks, a real mu, a dash, units that are clear."""
    text = text.replace(" ", "").replace("min", "m").replace("µ", "u").replace("–", "-")
    text = re.sub(r"e([+-])0?(\d)$", r"e\1\2", text)
    return re.sub(r"[mn]s$", "", text) if units != "auto" else text


def main():
    program, module = sys.argv[1:]
    node = shutil.which("node")
    if not node:
        print("skip: needs node")
        sys.exit(77)
    asked = list(lines(20261126))
    said = [subprocess.run(command, input="\n".join(asked) + "\n", capture_output=True, text=True,
                           check=True).stdout.splitlines()
            for command in ([program], [node, HERE / "formats.mjs", module])]
    assert len(said[0]) == len(said[1]) == len(asked), (len(asked), *map(len, said))
    wrong = [(line, ours, page) for line, ours, page in zip(asked, *said)
             if alike(ours, line.split()[1]) != alike(page, line.split()[1])]
    assert not wrong, (len(wrong), wrong[:20])
    print(f"ok numbers_are_those_of_astshm_top: {len(asked)} of them")


main()
