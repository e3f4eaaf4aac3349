#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a libFuzzer program from seeds and words that its driver makes.

usage: run.py FUZZER DRIVER [--runs N | --seconds N] [--max-len BYTES]

What a crash needs to be repeated is left in fuzz-artifacts/ of the current
folder; the fuzzer takes such a file as its argument.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

MEMORY_MB = 2048
SECONDS_AN_INPUT = 60  # as driver.c; of a machine that others use as well


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("fuzzer")
    parser.add_argument("driver")
    parser.add_argument("--runs", type=int, default=20000)
    parser.add_argument("--seconds", type=int, help="instead of --runs")
    parser.add_argument("--max-len", type=int, default=16384, help="of an input")
    return parser.parse_args()


def main():
    given = arguments()
    artifacts = pathlib.Path("fuzz-artifacts")
    artifacts.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder) / "corpus"
        words = pathlib.Path(folder) / "words"
        corpus.mkdir()
        subprocess.run([given.driver, "--corpus", corpus], check=True)
        with open(words, "wb") as output:
            subprocess.run([given.driver, "--dictionary"], check=True, stdout=output)
        length = f"-max_total_time={given.seconds}" if given.seconds else f"-runs={given.runs}"
        result = subprocess.run(
            [given.fuzzer, length, "-seed=1", f"-max_len={given.max_len}", f"-dict={words}",
             f"-timeout={SECONDS_AN_INPUT}", f"-rss_limit_mb={MEMORY_MB}",
             f"-artifact_prefix={artifacts}/", "-print_final_stats=1", "-verbosity=0",
             corpus],
            stderr=subprocess.STDOUT)
    print("not ok" if result.returncode else "ok", pathlib.Path(given.fuzzer).name)
    return 1 if result.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
