#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts test cases in the logs that `meson test` leaves.

usage: tally.py LABEL=BUILD/meson-logs/testlog.json...

A cmocka program counts as many cases as its summary lines say, a script as
many as it prints `ok NAME` and `not ok NAME` lines, anything else as one. A
program that ended badly has at least one failed case; one that skipped
(exit 77) is one skipped case. A log that is not there is a build that failed.
The last line is `N passed, N failed`, with `, N skipped` where there are any.
"""
import json
import re
import sys
from dataclasses import dataclass, field

TAIL_LINES = 60
CASE_CHARACTERS = 160

# cmocka writes its summary unbuffered to stderr; its per-case lines go through
# stdout, where a forked child may print them once more.
CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.M)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] (\d+) test\(s\)", re.M)
SCRIPT_PASSED = re.compile(r"^ok\b", re.M)
SCRIPT_FAILED = re.compile(r"^not ok\b", re.M)

# What says nothing of a failure, and what names one.
PASSED_LINE = re.compile(r"ok\b|\[ +(RUN|OK) +\]")
FAILED_LINE = re.compile(r"not ok |\[  FAILED  \] (?!\d+ test)")


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


@dataclass
class Build:
    label: str
    count: Count = field(default_factory=Count)
    failures: list = field(default_factory=list)
    skips: list = field(default_factory=list)


def output(test):
    return "\n".join(filter(None, (test.get("stdout"), test.get("stderr"))))


def sum_of(pattern, text):
    return sum(int(number) for number in pattern.findall(text))


def count_test(test):
    """The cases of one program."""
    if test["result"] == "SKIP":
        return Count(skipped=1)
    text = output(test)
    passed = sum_of(CMOCKA_PASSED, text) + len(SCRIPT_PASSED.findall(text))
    failed = sum_of(CMOCKA_FAILED, text) + len(SCRIPT_FAILED.findall(text))
    if test["result"] not in ("OK", "EXPECTEDFAIL"):
        failed = max(failed, 1)
    elif passed + failed == 0:
        passed = 1
    return Count(passed, failed)


def read_build(label, path):
    build = Build(label)
    try:
        with open(path, encoding="utf-8") as log:
            tests = [json.loads(line) for line in log]
    except FileNotFoundError:
        tests = []
    if not tests:
        build.count.failed = 1
        build.failures.append((f"{label}: no test ran (did it build?)", ""))
    for test in tests:
        count = count_test(test)
        build.count.add(count)
        title = f"{label}: {test['name']}: {test['result']}, status {test['returncode']}"
        if count.failed:
            build.failures.append((title, output(test)))
        if count.skipped:
            build.skips.append((title, output(test)))
    return build


def last_lines(text, limit):
    lines = [line for line in text.rstrip().splitlines() if not PASSED_LINE.match(line)]
    return "\n".join("    " + line for line in lines[-limit:])


def failed_cases(text):
    """A line each, without what it says of the reason behind its first words."""
    names = [FAILED_LINE.sub("", line, 1)[:CASE_CHARACTERS] for line in text.splitlines()
             if FAILED_LINE.match(line)]
    return list(dict.fromkeys(names))


def closing_line(count):
    line = f"{count.passed} passed, {count.failed} failed"
    return line + (f", {count.skipped} skipped" if count.skipped else "")


def report(builds):
    total = Count()
    for build in builds:
        for title, text in build.skips:
            print(f"skipped {title}\n{last_lines(text, 1)}")
        for title, text in build.failures:
            print(f"FAILED {title}\n{last_lines(text, TAIL_LINES)}")
        total.add(build.count)
    # Once more in short, where a log that is cut off still shows it.
    for build in builds:
        for title, text in build.failures:
            print("\n  ".join([f"FAILED {title}", *failed_cases(text)]))
    print()
    for build in builds:
        count = build.count
        print(f"  {build.label:8} passed {count.passed:5}   failed {count.failed:3}"
              f"   skipped {count.skipped:3}")
    print(closing_line(total))
    return total


def main(arguments):
    if not arguments or any("=" not in argument for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    total = report([read_build(*argument.split("=", 1)) for argument in arguments])
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
