#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Feeds of astshm-export to a server of Fluentd's forward protocol from npm."""
import json
import pathlib
import shutil
import subprocess

import harness
from exporter import Exporter
from harness import Skip, case, check, equal, wait_until

TESTS = pathlib.Path(__file__).resolve().parent
MODULE = TESTS.parent / "npm/node_modules/@fluent-org/logger"
RECEIVER = TESTS / "fluentd_receiver.js"


class Receiver:
    """Speaks on a port of its own choice; needs node and the package."""

    def __init__(self, t, *key, port=0):
        if not shutil.which("node"):
            raise Skip("node is not installed")
        if not MODULE.exists():
            raise Skip(f"no {MODULE.name} in tests/npm: setup/npm.sh installs it")
        self.process = t.background(["node", RECEIVER, MODULE, port, *key],
                                    stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def event(self):
        return json.loads(self.process.stdout.readline())


def feed(t, receiver, *names):
    return Exporter(t, "--stream-interval", "0.2", "--stream",
                    f"fluentd:tcp:127.0.0.1:{receiver.port}", *names)


@case
def every_snapshot_is_an_event(t):
    receiver = Receiver(t)
    first, second = t.fixture("1"), t.fixture("2")
    exporter = feed(t, receiver, first.name, second.name)
    events = [receiver.event() for _ in range(6)]
    equal([event["tag"] for event in events],
          [f"astshm.{first.name}", f"astshm.{second.name}"] * 3)
    for event in events:
        record = event["record"]
        equal(record["schema"], "astshm.snapshot/1")
        equal(record["metrics"]["counters"]["events.received"]["value"], 1000)
        equal(record["metrics"]["timings"]["request.duration"]["count"], 100)
        # As many digits as a number of JavaScript has.
        instant = event["epoch"] * 10**9 + event["nano"]
        check(abs(instant - record["timestamp_ns"]) < 1000, instant, record["timestamp_ns"])
    # A large one fills what the kernel has for a receiver that gets no time; then some are lost.
    first.ask("many")
    first.ask("more")
    more = json.loads(t.cat(first.name, "-f", "json").out)
    wanted = more["metrics"]["counters"]["events.received"]["value"]
    check(wanted > 1000, wanted)

    def is_there():
        event = receiver.event()
        return event["tag"] == f"astshm.{first.name}" and \
            event["record"]["metrics"]["counters"]["events.received"]["value"] == wanted and \
            event["record"]["metrics"]["counters"]["many.counter.999"]["value"] == 1000
    wait_until(is_there, "the new value")
    exporter.stop()


@case
def a_receiver_that_was_started_again_is_found(t):
    fixture = t.fixture()
    receiver = Receiver(t)
    exporter = feed(t, receiver, fixture.name)
    receiver.event()
    receiver.process.kill()
    wait_until(lambda: "trying again" in exporter.said(), "the loss")
    equal(Receiver(t, port=receiver.port).event()["tag"], f"astshm.{fixture.name}")
    exporter.stop()


@case
def one_that_asks_for_a_shared_key_is_told_of(t):
    exporter = feed(t, Receiver(t, "secret"), t.fixture().name)
    wait_until(lambda: "asks for a shared key, which is not spoken here" in exporter.said(),
               "a message")
    exporter.stop()


if __name__ == "__main__":
    harness.main()
