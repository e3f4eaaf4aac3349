#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints counters and timings out of a stream of msgpack snapshots.

usage: astshm-cat -f msgpack -w 1 SEGMENT | msgpack-consumer.py

The documents are those of doc/snapshot.md. Times are in seconds.
"""
import sys

import msgpack


def print_document(document):
    if document.get("schema") != "astshm.snapshot/1":
        sys.exit("msgpack-consumer.py: not an astshm.snapshot/1 document")
    print("timestamp_ns", document["timestamp_ns"])
    for key, counter in document["metrics"]["counters"].items():
        print(key, f"value={counter['value']}")
    for key, timing in document["metrics"]["timings"].items():
        print(key, f"count={timing['count']}", f"p95={timing['p95']}")
    sys.stdout.flush()


def main():
    unpacker = msgpack.Unpacker(max_buffer_size=1 << 30)
    while chunk := sys.stdin.buffer.read1(65536):
        unpacker.feed(chunk)
        for document in unpacker:
            print_document(document)


if __name__ == "__main__":
    main()
