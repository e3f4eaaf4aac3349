#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a scrape of astshm-export costs it, in CPU time: doc/export.md has the command.

No test: it asserts no time. 1,000 counters and 100 timings beside the fixture's own.
"""
import os
import pathlib

import harness
from exporter import Exporter
from harness import case
from test_export_formats import OPENMETRICS, PROTOBUF

SCRAPES = 300
FORMS = [("text", "/metrics", {}), ("OpenMetrics", "/metrics", {"Accept": OPENMETRICS}),
         ("protobuf", "/metrics", {"Accept": PROTOBUF}), ("JSON", "/snapshot.json", {}),
         ("msgpack", "/snapshot.msgpack", {})]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@case
def scrapes(t):
    server = t.fixture()
    server.ask("many")
    exporter = Exporter(t, "--max-rate", "100000", server.name)
    for name, path, headers in FORMS:
        for encoding in ("identity", "gzip"):
            before = cpu_seconds(exporter.process.pid)
            for _ in range(SCRAPES):
                reply = exporter.get(path, Accept_Encoding=encoding, **headers)
            spent = cpu_seconds(exporter.process.pid) - before
            print(f"{name:12} {encoding:9} {spent / SCRAPES * 1000:5.2f} ms "
                  f"{len(reply.bytes):8} bytes")


if __name__ == "__main__":
    harness.cases[:] = [scrapes]
    harness.main()
