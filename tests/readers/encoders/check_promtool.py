#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_promtool.py EMIT: our Prometheus text, judged by Prometheus' own tool."""
import shutil
import subprocess
import sys

if not shutil.which("promtool"):
    print("skipped: promtool (package prometheus) is not installed", file=sys.stderr)
    sys.exit(77)

failures = 0
for sample in ("rich", "threads", "interval", "merged", "empty", "colliding", "window"):
    text = subprocess.run([sys.argv[1], "prometheus", sample], check=True,
                          stdout=subprocess.PIPE).stdout
    text.decode("utf-8")
    result = subprocess.run(["promtool", "check", "metrics"], input=text,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode != 0:
        failures += 1
        print(f"{sample}: {result.returncode} {result.stdout.decode()}", file=sys.stderr)
sys.exit(1 if failures else 0)
