#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every model, whole and with each of its orders left out.

usage: test_models.py SOURCE_ROOT [NAME...]

Whole, a model must have no violation; without any one of its orders it must
have one, or the order is not needed and the model proves nothing of it. The
functions that a model stands for must exist where it says. With NAMEs: those
models alone, and how each violation comes about.
"""
import importlib
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import checker

FILES = ["record", "publication", "reset", "removal", "threads", "creation", "history"]
STANDS_FOR = re.compile(r"Stands for: (\w+) \(([\w./-]+)\)")


def models():
    for file in FILES:
        yield from importlib.import_module(file).MODELS


def missing_functions(model, root):
    places = STANDS_FOR.findall(model.__doc__ or "")
    if not places:
        return ["names no function"]
    return [f"{file} has no {function}" for function, file in places
            if not re.search(rf"\b{function}\(", (root / file).read_text(encoding="utf-8"))]


def run(model, dropped=None):
    orders = checker.Orders(dropped)
    states, violation = model(orders)
    return orders.names, states, violation


def report(passed, text):
    print("ok" if passed else "not ok", text, flush=True)
    return passed


def show(violation):
    print(f"    {violation.text}, by")
    for line in violation.trace:
        print(f"        {line}")


def check_model(model, root, verbose):
    missing = missing_functions(model, root)
    names, states, violation = run(model)
    good = report(not missing and not violation,
                  f"{model.__name__}: {states} states {' '.join(missing)}")
    if violation:
        show(violation)
    for name in names:
        _, states, violation = run(model, name)
        good &= report(violation is not None,
                       f"{model.__name__}: wrong without '{name}' ({states} states)")
        if verbose and violation:
            show(violation)
    return good


def main(root, wanted):
    good = True
    for model in models():
        if not wanted or model.__name__ in wanted:
            good &= check_model(model, pathlib.Path(root), bool(wanted))
    return 0 if good else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
