#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client of ast-server: says what changes, message by message.

usage: watch-diffs.py [--quiet] [HOST:PORT]    (default 127.0.0.1:8765)

Ends when the server does, with the number of messages of each type.
Needs Debian's python3-websockets.
"""
import argparse
import asyncio
import collections
import json

import websockets


def tell(message):
    payload = message["payload"]
    if message["type"] == "FULL_AST":
        print(f"FULL_AST {len(payload['ast']['children'])} tracks, scenes and files")
    elif message["type"] == "DIFF_UPDATE":
        for change in payload["diff"]["changes"]:
            print(f"{change['type']} {change['path']}")
    else:
        print(message["type"], payload)


async def watch(address, quiet):
    count = collections.Counter()
    # Of the tree as a whole there may be many megabytes.
    async with websockets.connect(f"ws://{address}/", max_size=None) as connection:
        try:
            async for text in connection:
                message = json.loads(text)
                count[message["type"]] += 1
                if not quiet:
                    tell(message)
        except websockets.ConnectionClosedError as closed:
            print(f"lost the server: {closed}")
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("address", nargs="?", default="127.0.0.1:8765")
    arguments = parser.parse_args()
    count = asyncio.run(watch(arguments.address, arguments.quiet))
    for kind, number in sorted(count.items()):
        print(f"{kind} {number}")


main()
