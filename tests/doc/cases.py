# SPDX-License-Identifier: MIT
"""Runs the test_* functions of a script and prints `ok NAME` or `not ok NAME`."""
import sys
import traceback


def main(names):
    """Pass globals(). Exits with 1 if any case failed."""
    failed = 0
    for name, case in list(names.items()):
        if not name.startswith("test_") or not callable(case):
            continue
        try:
            case()
            print("ok", name[5:], flush=True)
        except Exception:
            failed += 1
            traceback.print_exc()
            print("not ok", name[5:], flush=True)
    sys.exit(1 if failed else 0)
