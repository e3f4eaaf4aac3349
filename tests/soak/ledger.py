# SPDX-License-Identifier: MIT
"""What the server must have counted, worked out from what it was sent.

Knows the protocol from its description alone: OSC 1.0, the envelope, and what the
manual says of sequence numbers.
"""
import collections
import struct

DATAGRAM_BYTES = 4096
WINDOW = 100


class Malformed(Exception):
    pass


# --- datagrams -----------------------------------------------------------------------

def take_string(data):
    """A string and what follows it."""
    end = data.find(b"\0")
    padded = (end + 4) & ~3
    if end < 0 or padded > len(data) or any(data[end:padded]):
        raise Malformed
    try:
        return data[:end].decode(), data[padded:]
    except UnicodeDecodeError:
        raise Malformed from None


def take_argument(tag, data):
    if tag in "TF":
        return tag == "T", data
    if tag == "s":
        return take_string(data)
    if tag not in "if" or len(data) < 4:
        raise Malformed
    return struct.unpack_from(">" + tag, data)[0], data[4:]


def decode(data):
    """Address, tags, arguments."""
    if not 8 <= len(data) <= DATAGRAM_BYTES or not data.startswith(b"/"):
        raise Malformed
    address, rest = take_string(data)
    if not rest.startswith(b","):
        raise Malformed
    tags, rest = take_string(rest)
    arguments = []
    for tag in tags[1:]:
        argument, rest = take_argument(tag, rest)
        arguments.append(argument)
    if rest:
        raise Malformed
    return address, tags[1:], arguments


# --- sequence numbers ------------------------------------------------------------------

def int32(number):
    return (number + 2 ** 31) % 2 ** 32 - 2 ** 31


class Numbers:
    """Which numbers are duplicates, late, behind a gap, or of a sender that began anew."""

    def __init__(self):
        self.highest = self.port = None
        self.window = collections.deque(maxlen=WINDOW)
        self.duplicates = self.late = self.gaps = self.lost = 0

    def judge(self, number, port):
        """False: a duplicate."""
        ahead = int32(number - self.highest) if self.window else None
        if ahead is None or ahead < -WINDOW or (number == 0 and port != self.port):
            self.window.clear()
            self.highest = number
        elif number in self.window:
            self.duplicates += 1
            return False
        elif ahead <= 0:
            self.late += 1
        else:
            self.highest = number
            self.gaps += ahead > 1
            self.lost += ahead - 1
        self.window.append(number)
        self.port = port
        return True


# --- the accounts ----------------------------------------------------------------------

class Ledger:
    def __init__(self):
        self.numbers = Numbers()
        self.sent = self.parse_errors = 0
        self.events = 0  # for the queue, those of the cursor apart
        self.cursor = 0  # the same of the cursor
        self.without_event = 0  # accepted, but nothing to be applied

    def take(self, datagram, port):
        self.sent += 1
        try:
            self.take_message(*decode(datagram), port)
        except Malformed:
            self.parse_errors += 1

    def take_message(self, address, tags, arguments, port):
        if address == "/live/seq":
            if len(tags) < 3 or tags[0] not in "iTF" or tags[1] not in "if" or tags[2] != "s":
                raise Malformed
            if self.numbers.judge(int(arguments[0]), port):
                self.take_event(arguments[2])
        elif address in ("/live/batch/start", "/live/batch/end") and not tags:
            raise Malformed
        else:
            self.without_event += 1

    def take_event(self, path):
        if path.startswith("/live/cursor/"):
            self.cursor += 1
        else:
            self.events += 1

    def flood(self, count):
        """The events 1 to count came at once; how many arrived only the server knows.

        The window is right again after WINDOW further events.
        """
        self.sent += count
        self.events += count
        self.numbers.highest = count

    def differences(self, values):
        """What the counters say that they should not: {what: (said, expected)}."""
        numbers, missed = self.numbers, values["udp.kernel.dropped"]
        refused = values["udp.packet.dropped"] - values["udp.sequence.lost"]
        expected = {
            "udp.packet.received": self.sent - missed,
            "udp.parse.error": self.parse_errors,
            "udp.packet.duplicate": numbers.duplicates,
            "udp.packet.late": numbers.late,
            "udp.sequence.lost": numbers.lost + missed,
            # What the kernel dropped may lie in one gap or in many.
            "udp.sequence.gap": max(numbers.gaps + (missed > 0),
                                    min(values["udp.sequence.gap"], numbers.gaps + missed)),
            "events.received": self.events - refused - missed,
        }
        return {key: (values[key], value) for key, value in expected.items()
                if values[key] != value}

    def stopped_line(self, values):
        """What the server says at its end."""
        missed = values["udp.kernel.dropped"]
        refused = values["udp.packet.dropped"] - values["udp.sequence.lost"]
        dropped = refused + self.numbers.duplicates
        received = self.sent - missed
        return (f"stopped, packets received {received}, "
                f"processed {received - dropped - self.parse_errors}, dropped {dropped}, "
                f"parse errors {self.parse_errors}, duplicates {self.numbers.duplicates}, "
                f"gaps {values['udp.sequence.gap']}, missing {self.numbers.lost + missed}, "
                f"late {self.numbers.late}, dropped by kernel {missed}\n")
