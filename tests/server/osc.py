# SPDX-License-Identifier: MIT
"""OSC 1.0 messages made by hand, so that the server's decoder meets a sender
that shares no code with it."""
import random
import struct


TIMESTAMP = 1.7e9


def string(text):
    data = text.encode() if isinstance(text, str) else text
    return data + b"\0" * (4 - len(data) % 4)


def message(address, *arguments):
    """bool -> T/F, int -> i, float -> f, str -> s, as the remote script encodes them."""
    tags, body = ",", b""
    for argument in arguments:
        if isinstance(argument, bool):
            tags += "T" if argument else "F"
        elif isinstance(argument, int):
            tags += "i"
            body += struct.pack(">i", argument)
        elif isinstance(argument, float):
            tags += "f"
            body += struct.pack(">f", argument)
        else:
            tags += "s"
            body += string(argument)
    return string(address) + string(tags) + body


def event(number, path, *arguments):
    return message("/live/seq", number, TIMESTAMP, path, *arguments)


def mutations(seed, count, samples):
    """`count` damaged copies of the samples; the same for the same seed."""
    source = random.Random(seed)
    for _ in range(count):
        data = bytearray(source.choice(samples))
        for _ in range(source.randint(1, 4)):
            at = source.randrange(len(data))
            edit = source.randrange(4)
            if edit == 0:
                data[at] ^= 1 << source.randrange(8)
            elif edit == 1:
                data[at] = source.choice(b"\0,/ifsTFbd\xff")
            elif edit == 2 and at > 0:
                del data[at:]
            else:
                data.insert(at, source.randrange(256))
        yield bytes(data)
