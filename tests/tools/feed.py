# SPDX-License-Identifier: MIT
"""What a feed of astshm-export looks like from its other end."""
import socket
import struct

import msgpack
from harness import PATIENCE, Failed, check, equal

HEAD = struct.Struct(">4sBBHQI")
MAGIC = b"\xc1asf"


class Frame:
    def __init__(self, number, document):
        self.number = number
        self.bytes = document
        self.document = msgpack.unpackb(document)

    @property
    def segment(self):
        return self.document["segment"]

    def counter(self, key):
        return self.document["metrics"]["counters"][key]["value"]


def read_exactly(file, count):
    """None at an end before the first byte; an end after it is an error."""
    read = file.read(count)
    check(len(read) in (0, count), f"the stream ends {len(read)} bytes into {count}")
    return read or None


def read_frame(file):
    """Of a file; None: the stream has ended, between two frames."""
    head = read_exactly(file, HEAD.size)
    if not head:
        return None
    magic, version, flags, size, number, length = HEAD.unpack(head)
    equal((magic, version, flags, size), (MAGIC, 1, 0, HEAD.size), "head of a frame")
    return Frame(number, file.read(length))


def frames_of(data):
    """Of a whole stream; the last frame may be cut off."""
    frames = []
    while len(data) >= HEAD.size:
        equal(data[:4], MAGIC, "magic")
        number, length = HEAD.unpack(data[:HEAD.size])[4:]
        if len(data) < HEAD.size + length:
            break
        frames.append(Frame(number, data[HEAD.size:HEAD.size + length]))
        data = data[HEAD.size + length:]
    return frames


class Consumer:
    """One end of a connection."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self.file = connection.makefile("rb")

    @classmethod
    def at(cls, address):
        """Connects to HOST:PORT or unix:PATH."""
        if address.startswith("unix:"):
            # Without a time limit it waits where many others do, instead of failing.
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(address.removeprefix("unix:"))
        else:
            host, port = address.rsplit(":", 1)
            connection = socket.create_connection((host, int(port)), PATIENCE)
        return cls(connection)

    def frame(self):
        frame = read_frame(self.file)
        if not frame:
            raise Failed("the feed has ended")
        return frame

    def frames(self, count):
        return [self.frame() for _ in range(count)]

    def close(self):
        self.file.close()
        self.socket.close()

    def reset(self):
        """Ends the connection with an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


class Collector:
    """Listens for feeds that connect."""

    def __init__(self, path=None, port=0):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.settimeout(PATIENCE)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(str(path) if path else ("127.0.0.1", port))
        self.socket.listen()
        self.target = f"unix:{path}" if path else "tcp:127.0.0.1:%d" % self.socket.getsockname()[1]

    def accept(self):
        return Consumer(self.socket.accept()[0])

    def close(self):
        self.socket.close()


def is_without_gap(frames):
    return [frame.number for frame in frames] == list(
        range(frames[0].number, frames[0].number + len(frames)))
