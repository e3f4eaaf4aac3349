#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keeps the newest snapshot of every segment that is fed to it, as one file each.

usage: feed-collector.py FOLDER HOST:PORT | unix:PATH

On each machine:    astshm-export --stream tcp:HOST:PORT '*'
All of them as one: astshm-cat --merge FOLDER/*.msgpack

The frames are those of doc/feeds.md. A line on stdout tells of each snapshot.
"""
import os
import socketserver
import struct
import sys
import urllib.parse

import msgpack

HEAD = struct.Struct(">4sBBHQI")  # magic, version, flags, bytes of the head, number, bytes
MAGIC, VERSION = b"\xc1asf", 1
DOCUMENT_BYTES_MAX = 1 << 28


class Feed(socketserver.StreamRequestHandler):
    """One connection. An exception ends it, and the exporter tries again."""

    def read(self, count):
        data = self.rfile.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def next_frame(self):
        magic, version, flags, head_bytes, number, count = HEAD.unpack(self.read(HEAD.size))
        if magic != MAGIC or version != VERSION or head_bytes < HEAD.size:
            raise ValueError("not a feed of this version")
        if count > DOCUMENT_BYTES_MAX:
            raise ValueError(f"a document of {count} bytes")
        self.read(head_bytes - HEAD.size)
        document = self.read(count)
        return number, None if flags else document

    def keep(self, number, document):
        segment = msgpack.unpackb(document)["segment"]
        machine = self.client_address[0] if self.client_address else "local"
        name = urllib.parse.quote(f"{machine} {segment['name']}", safe="")
        path = os.path.join(self.server.folder, f"{name}.msgpack")
        # Renamed in one go: whoever merges never finds half a document.
        with open(f"{path}.{os.getpid()}", "wb") as file:
            file.write(document)
        os.replace(file.name, path)
        print(machine, segment["name"], segment["state"], number, flush=True)

    def handle(self):
        try:
            while True:
                number, document = self.next_frame()
                if document:
                    self.keep(number, document)
        except EOFError:
            pass
        except (ValueError, KeyError, TypeError, OSError, msgpack.UnpackException) as error:
            print(f"feed-collector.py: {error}", file=sys.stderr)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    folder, address = sys.argv[1:]
    if address.startswith("unix:"):
        kind, address = socketserver.ThreadingUnixStreamServer, address.removeprefix("unix:")
    else:
        host, port = address.rsplit(":", 1)
        kind, address = socketserver.ThreadingTCPServer, (host.strip("[]"), int(port))
    kind.daemon_threads = kind.allow_reuse_address = True
    with kind(address, Feed) as server:
        server.folder = folder
        server.serve_forever()


if __name__ == "__main__":
    main()
