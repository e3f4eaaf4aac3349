#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What astshm-export --stream sends to whom, and what it does about those who do not take it."""
import os
import pty
import re
import signal
import socket
import struct
import subprocess

import harness
import msgpack
from exporter import Exporter, samples
from feed import HEAD, Collector, Consumer, frames_of, is_without_gap, read_frame
from harness import Failed, Skip, case, check, equal, wait_until

FAST = ("--stream-interval", "0.05")
# Whoever connects to us and is not read from is hung up on 60 turns later, or half as many
# where there are two segments. A busy machine keeps a test from reading for seconds.
UNHURRIED = "0.2"


class Feeder(Exporter):
    """An exporter with feeds; `at` are the addresses that it feeds whoever connects from."""

    def __init__(self, t, *arguments, interval="0.05", **more):
        # Counts are waited for, by asking again and again.
        super().__init__(t, "--max-rate", "100000", "--stream-interval", interval, *arguments,
                         **more)
        self.at = re.findall(r"feeding listen:(?:tcp:)?(\S+) every", self.said())

    def count(self, name):
        """Of the feed families, by target."""
        pattern = re.compile(rf'astshm_feed_{name}\{{target="(.*)"\}}')
        return {found[1]: value for key, value in samples(self.get("/metrics").text).items()
                if (found := pattern.fullmatch(key))}

    def only(self, name):
        values = self.count(name)
        equal(len(values), 1, f"targets of {name}")
        return next(iter(values.values()))


@case
def all_who_connect_get_the_same_snapshots(t):
    fixture = t.fixture()
    feeder = Feeder(t, "--stream", "listen:tcp:127.0.0.1:0", "--stream",
                    f"listen:unix:{t.folder}/feed", fixture.name, interval=UNHURRIED)
    equal(len(feeder.at), 2, "addresses")
    consumers = [Consumer.at(address) for address in feeder.at * 2]
    seen = [consumer.frames(4) for consumer in consumers]
    last = max(frames[-1].number for frames in seen)
    for consumer, frames in zip(consumers, seen):
        while frames[-1].number < last:
            frames.append(consumer.frame())
        check(is_without_gap(frames), [frame.number for frame in frames])
    for frames in seen:
        by_number = {frame.number: frame.bytes for frame in frames}
        equal(by_number[last], seen[0][-1].bytes, "bytes of one snapshot")
    equal(seen[0][-1].counter("events.received"), 1000)
    asked = msgpack.unpackb(feeder.get("/snapshot.msgpack").bytes)
    equal(asked["metrics"], seen[0][-1].document["metrics"], "what /snapshot.msgpack has")
    fixture.ask("more")
    while seen[0][-1].counter("events.received") == 1000:
        seen[0].append(consumers[0].frame())
    equal(feeder.count("consumers"), {f"listen:tcp:{feeder.at[0]}": 2.0,
                                      f"listen:{feeder.at[1]}": 2.0})
    equal(set(feeder.count("dropped_total").values()), {0.0}, "dropped")
    sent = [int(count) for count in re.findall(r": (\d+) snapshots sent, 0 dropped",
                                               feeder.stop())]
    check(len(sent) == 2 and min(sent) >= 8, "four snapshots at least for each of two", sent)


@case
def one_consumer_is_connected_to_as_soon_as_it_is_there(t):
    name = t.fixture().name
    path = t.folder / "collector"
    first = Collector()
    feeder = Feeder(t, "--stream", first.target, "--stream", f"unix:{path}", name)
    consumer = first.accept()
    frames = consumer.frames(3)
    check(is_without_gap(frames), [frame.number for frame in frames])
    equal(frames[0].number, 1, "the first number")
    wait_until(lambda: feeder.count("failed_connections_total")[f"unix:{path}"] > 0, "a try")
    equal(feeder.count("consumers"), {first.target: 1.0, f"unix:{path}": 0.0})
    check(f"unix:{path}: No such file or directory; trying again" in feeder.said(), feeder.said())
    late = Collector(path).accept()
    frames = late.frames(3)
    check(is_without_gap(frames), [frame.number for frame in frames])
    equal(feeder.count("reconnects_total"), {first.target: 0.0, f"unix:{path}": 0.0})
    said = feeder.stop()
    check(f"unix:{path}: connected" in said, said)
    equal(said.count("No such file"), 1, said)


@case
def names_are_looked_up_beside_everything_else(t):
    collector = Collector()
    port = collector.target.rsplit(":", 1)[1]
    # No resolver knows the first one. How long it takes to say so is its own affair.
    feeder = Feeder(t, "--stream", "tcp:nowhere.invalid:9", "--stream", f"tcp:localhost:{port}",
                    t.fixture().name)
    consumer = collector.accept()
    check(is_without_gap(consumer.frames(3)))
    equal(feeder.count("consumers"), {"tcp:nowhere.invalid:9": 0.0, f"tcp:localhost:{port}": 1.0})
    feeder.stop()


@case
def a_connection_that_is_reset_is_made_again(t):
    collector = Collector()
    feeder = Feeder(t, "--stream", collector.target, t.fixture().name)
    numbers = []
    for ending in (Consumer.reset, Consumer.close, Consumer.reset):
        consumer = collector.accept()
        numbers += [frame.number for frame in consumer.frames(2)]
        ending(consumer)
    consumer = collector.accept()
    numbers += [frame.number for frame in consumer.frames(2)]
    equal(numbers, sorted(set(numbers)), "numbers")
    equal(feeder.only("reconnects_total"), 3.0, "reconnects")
    equal(feeder.only("consumers"), 1.0)
    feeder.stop()


@case
def a_frame_that_was_cut_off_is_sent_again_from_its_start(t):
    fixture = t.fixture(keep="wide")
    fixture.ask("wide 10000")
    collector = Collector(t.folder / "collector")
    Feeder(t, "--stream", collector.target, fixture.name, interval="60")
    consumer = collector.accept()
    number = struct.unpack(">Q", consumer.file.read(1000)[8:16])[0]
    consumer.close()
    frame = collector.accept().frame()
    # Twice what the kernel takes: not all of it can have been sent the first time.
    check(len(frame.bytes) > 900000, len(frame.bytes))
    equal(frame.number, number, "number")
    equal(frame.counter("events.received"), 1000)


@case
def a_slow_consumer_is_hung_up_on_and_the_others_lose_nothing(t):
    fixture = t.fixture()
    fixture.ask("many")
    # Eight intervals are 5.6 s, in which the good one is thought to get some time to read.
    feeder = Feeder(t, "--stream", f"listen:unix:{t.folder}/feed", fixture.name, interval="0.7")
    slow, good = Consumer.at(feeder.at[0]), Consumer.at(feeder.at[0])
    good.socket.setblocking(True)
    with open(t.folder / "good", "wb") as file:
        cat = t.background(["cat"], stdin=good.socket, stdout=file)
    wait_until(lambda: "hung up on 1 too slow" in feeder.said(), "hanging up")
    equal(feeder.only("slow_consumers_total"), 1.0, "slow")
    equal(feeder.only("consumers"), 1.0, "left")
    check(feeder.only("dropped_total") >= 8, feeder.only("dropped_total"))
    feeder.stop()
    cat.wait(harness.PATIENCE)
    for data in ((t.folder / "good").read_bytes(), slow.file.read()):
        taken = frames_of(data)
        check(taken and is_without_gap(taken), [frame.number for frame in taken])


def make_three_large(t):
    """Together more than a socket takes for a consumer that does not."""
    for i in range(3):
        t.fixture(str(i)).ask("many")


@case
def the_end_comes_between_two_frames(t):
    make_three_large(t)
    collectors = [Collector(t.folder / name) for name in ("taking", "stuck")]
    feeder = Feeder(t, "--stream", collectors[0].target, "--stream", collectors[1].target,
                    t.name("*"), interval="60")
    taking, stuck = (collector.accept() for collector in collectors)
    began = [consumer.file.read(1000) for consumer in (taking, stuck)]
    feeder.process.send_signal(signal.SIGTERM)
    data = began[0] + taking.file.read()
    equal(feeder.process.wait(harness.PATIENCE), 0, "exit status")
    said = feeder.said()
    whole = len(data) == sum(HEAD.size + len(frame.bytes) for frame in frames_of(data))
    # The bound is a second, which on a busy machine may pass by: then it says so.
    check(whole or "taking: hung up on 1 within a frame" in said, len(data), said)
    check("stuck: hung up on 1 within a frame" in said, said)


@case
def the_end_comes_between_two_frames_of_stdout(t):
    make_three_large(t)
    collector = Collector(t.folder / "stuck")
    process = t.start("--listen", "none", "--stream", "-", "--stream", collector.target,
                      "--stream-interval", "60", t.name("*"), exe=t.tools.export, text=False)
    began = process.stdout.read(1000)
    stuck = collector.accept()
    stuck.file.read(1000)
    process.send_signal(signal.SIGTERM)
    # What was stdout's is done with before the one that is stuck.
    data = began + process.stdout.read()
    _, err = t.finish(process)
    whole = len(data) == sum(HEAD.size + len(frame.bytes) for frame in frames_of(data))
    check(whole or "stdout: hung up on 1 within a frame" in err, len(data), err)
    check("stuck: hung up on 1 within a frame" in err, err)


@case
def a_stuck_consumer_that_we_connected_to_misses_the_oldest(t):
    fixture = t.fixture()
    fixture.ask("many")
    collector = Collector(t.folder / "collector")
    feeder = Feeder(t, "--stream", collector.target, fixture.name, interval="0.02")
    consumer = collector.accept()
    wait_until(lambda: feeder.only("dropped_total") >= 20, "20 dropped")
    equal(feeder.only("consumers"), 1.0, "still connected")
    least = feeder.only("dropped_total")
    fixture.ask("more")
    frames = [consumer.frame()]
    while frames[-1].counter("events.received") == 1000:
        frames.append(consumer.frame())
    most = feeder.only("dropped_total")
    numbers = [frame.number for frame in frames]
    gaps = [after - before - 1 for before, after in zip(numbers, numbers[1:])]
    equal(numbers[0], 1, "the first number")
    check(min(gaps) == 0 and max(gaps) >= 20, gaps)
    check(least <= sum(gaps) <= most, least, sum(gaps), most)
    equal(feeder.only("slow_consumers_total"), 0.0)
    feeder.stop()


@case
def the_end_of_a_server_is_told_once(t):
    fixture = t.fixture()
    other = t.fixture("other")
    feeder = Feeder(t, "--stream", f"listen:unix:{t.folder}/feed", fixture.name, other.name,
                    interval=UNHURRIED)
    consumer = Consumer.at(feeder.at[0])
    fixture.kill()
    frames = [consumer.frame()]
    while frames[-1].segment["state"] != "dead":
        frames.append(consumer.frame())
    equal(frames[-1].segment["name"], fixture.name)
    equal(frames[-1].counter("events.received"), 1000, "last values")
    equal([frame.segment["name"] for frame in consumer.frames(6)], [other.name] * 6)
    new = t.fixture(name=fixture.name)
    frames = [consumer.frame()]
    while frames[-1].segment["name"] != new.name:
        frames.append(consumer.frame())
    equal(frames[-1].segment["state"], "live")
    check(frames[-1].segment["pid"] == new.pid, frames[-1].segment)
    new.close()
    while frames[-1].segment["name"] != new.name or frames[-1].segment["state"] == "live":
        frames.append(consumer.frame())
    feeder.stop()


@case
def servers_come_and_go(t):
    feeder = Feeder(t, "--stream", f"listen:unix:{t.folder}/feed", t.name("*"),
                    interval=UNHURRIED)
    consumer = Consumer.at(feeder.at[0])
    first = t.fixture("1")
    equal(consumer.frame().segment["name"], first.name)
    second = t.fixture("2")
    names = set()
    wait_until(lambda: names.add(consumer.frame().segment["name"]) or len(names) == 2, "both")
    equal(names, {first.name, second.name})
    first.close()
    second.close()
    third = t.fixture("3")
    wait_until(lambda: consumer.frame().segment["name"] == third.name, "the third")
    feeder.stop()


@case
def two_hundred_consumers_are_fed(t):
    fixture = t.fixture()
    feeder = Feeder(t, "--stream", f"listen:unix:{t.folder}/feed", "--stream",
                    "listen:tcp:127.0.0.1:0", fixture.name, interval="0.5")
    consumers = [Consumer.at(feeder.at[i % 2]) for i in range(200)]
    wait_until(lambda: sum(feeder.count("consumers").values()) == 200, "200 let in")
    # All are there, so that all get the next one.
    seen = [{frame.number: frame.bytes for frame in consumer.frames(3)} for consumer in consumers]
    check(all(len(frames) == 3 for frames in seen))
    common = {}
    for frames in seen:
        for number, data in frames.items():
            check(common.setdefault(number, data) == data, "two snapshots of one number")
    for consumer in consumers:
        consumer.close()
    wait_until(lambda: sum(feeder.count("consumers").values()) == 0, "200 gone")
    equal(set(feeder.count("slow_consumers_total").values()), {0.0})
    feeder.stop()


@case
def consumers_leave_descriptors_for_the_rest(t):
    fixture = t.fixture()
    feeder = Feeder(t, "--stream", f"listen:unix:{t.folder}/a", "--stream",
                    f"listen:unix:{t.folder}/b", fixture.name, interval=UNHURRIED,
                    descriptors=64)
    consumers = [Consumer.at(address) for address in feeder.at for _ in range(40)]
    wait_until(lambda: sum(feeder.count("consumers").values()) == 32, "half of 64")
    equal(set(feeder.count("consumers").values()), {16.0}, "consumers of each")
    check(is_without_gap(consumers[0].frames(2)))
    check(is_without_gap(consumers[40].frames(2)))
    feeder.stop()


@case
def a_consumer_that_has_nothing_to_say_goes_on_listening(t):
    feeder = Feeder(t, "--stream", "listen:tcp:127.0.0.1:0", t.fixture().name, interval="0.1")
    consumer = Consumer.at(feeder.at[0])
    consumer.socket.shutdown(socket.SHUT_WR)
    # After eight turns it would be hung up on if it took nothing.
    check(is_without_gap(consumer.frames(12)))
    feeder.stop()


@case
def consumers_that_left_are_found_out_when_nothing_is_sent(t):
    fixture = t.fixture()
    # A pattern, since /metrics tells nothing while its only server is dead.
    feeder = Feeder(t, "--stream", "listen:tcp:127.0.0.1:0", fixture.name + "*")
    feeder.get("/metrics")
    fixture.kill()
    stays = Consumer.at(feeder.at[0])
    equal(stays.frame().segment["state"], "dead")
    for _ in range(20):
        Consumer.at(feeder.at[0]).close()
    wait_until(lambda: feeder.only("consumers") == 1, "one left")
    equal(feeder.only("slow_consumers_total"), 0.0)
    new = t.fixture(name=fixture.name)
    equal(stays.frame().segment["pid"], new.pid)
    feeder.stop()


@case
def a_consumer_that_talks_without_end_is_hung_up_on(t):
    feeder = Feeder(t, "--stream", "listen:tcp:127.0.0.1:0", t.fixture().name, interval="60")
    consumer, other = Consumer.at(feeder.at[0]), Consumer.at(feeder.at[0])
    other.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
    try:
        for _ in range(1000):
            consumer.socket.sendall(b"x" * 10000)
        raise Failed("10 MB were listened to")
    except ConnectionError:
        pass
    wait_until(lambda: feeder.only("consumers") == 1, "one left")
    feeder.stop()


def to_stdout(t, *arguments, **more):
    return t.start("--listen", "none", *FAST, "--stream", "-", *arguments, exe=t.tools.export,
                   text=False, **more)


@case
def stdout_gets_frames_until_its_reader_goes(t):
    process = to_stdout(t, t.fixture().name)
    frames = [read_frame(process.stdout) for _ in range(3)]
    check(is_without_gap(frames))
    process.stdout.close()
    process.stdout = None
    t.finish(process)


@case
def a_file_gets_whole_frames(t):
    path = t.folder / "feed"
    with open(path, "wb") as file:
        process = to_stdout(t, t.fixture().name, stdout=file)
    wait_until(lambda: len(frames_of(path.read_bytes())) >= 3, "three frames")
    t.finish(process, number=signal.SIGTERM)
    frames = frames_of(path.read_bytes())
    check(is_without_gap(frames))
    size = sum(20 + len(frame.bytes) for frame in frames)
    equal(size, path.stat().st_size, "bytes")


@case
def a_pipe_that_is_full_holds_up_nobody(t):
    fixture = t.fixture()
    # The pipe takes less than a frame, of which the oldest is eight turns old.
    process = t.start("--listen", "none", "--stream-interval", UNHURRIED, "--stream", "-",
                      "--stream", f"listen:unix:{t.folder}/feed", fixture.name,
                      exe=t.tools.export, text=False, pipesize=4096)
    wait_until(lambda: "feeding listen:" in t.errors(process), "the socket")
    consumer = Consumer.at(f"unix:{t.folder}/feed")
    check(is_without_gap(consumer.frames(10)))
    frames = [read_frame(process.stdout)]
    while is_without_gap(frames):
        frames.append(read_frame(process.stdout))
    check(frames[-1].number - frames[-2].number > 1, "a gap")
    process.send_signal(signal.SIGTERM)
    t.finish(process)


@case
def stdout_that_cannot_be_written_to_is_an_error(t):
    name = t.fixture().name
    with open("/dev/full", "wb") as full:
        process = to_stdout(t, name, stdout=full)
    _, err = t.finish(process, status=1)
    check("cannot write to stdout: No space left on device" in err, err)
    check("stdout: 0 snapshots sent, 1 dropped" in err, err)
    closed = t.run("sh", "-c", 'exec "$@" >&-', "sh", t.tools.export, "--stream", "-", name)
    equal((closed.status, closed.err.count("\n")), (1, 1), closed.err)
    check("stdout is closed" in closed.err, closed.err)
    ours, theirs = pty.openpty()
    try:
        terminal = subprocess.run([t.tools.export, "--stream", "-", name], stdout=theirs,
                                  stderr=subprocess.PIPE, timeout=harness.PATIENCE)
    finally:
        os.close(ours)
        os.close(theirs)
    equal(terminal.returncode, 2, terminal.stderr)
    check(b"terminal" in terminal.stderr, terminal.stderr)


@case
def wrong_targets_are_usage_errors(t):
    name = t.fixture().name
    for words in (["--stream", ""], ["--stream", "tcp:"], ["--stream", "tcp:host"],
                  ["--stream", "tcp:host:"], ["--stream", "tcp::1"], ["--stream", "tcp:h:65536"],
                  ["--stream", "tcp:h:1x"], ["--stream", "listen:tcp:127.0.0.1:1x"],
                  ["--stream", "unix:"], ["--stream", "unix:" + "x" * 108],
                  ["--stream", "127.0.0.1:1"], ["--stream", "listen:fluentd:tcp:h:1"],
                  ["--stream", "fluentd:-"], ["--stream", "listen:-"], ["--stream", "udp:h:1"],
                  ["--stream", "--"], ["--stream"], ["--stream", "-", "--stream", "-"],
                  ["--stream", "unix:a"] * 2, ["--stream", "tcp:h:1"] * 2,
                  [word for i in range(17) for word in ("--stream", f"unix:{i}")],
                  ["--stream-interval", "0"], ["--stream-interval", "3"],
                  ["--stream-interval", "0.009"], ["--stream-interval", "x"],
                  ["--stream-interval", "9223372036"], ["--stream-interval", "24.01h"],
                  ["--stream-interval", "-1"], ["--listen", "none"],
                  ["--stream", "listen:tcp:0.0.0.0:0"]):
        listen = [] if "--listen" in words else ["--listen", "127.0.0.1:0"]
        done = t.run(t.tools.export, *listen, *words, name)
        equal(done.status, 2, f"{words} ({done.err!r})")
        check("\n" in done.err and "astshm-export: " in done.err, words, done.err)


@case
def what_cannot_be_listened_at_is_an_error(t):
    name = t.fixture().name
    taken = t.folder / "taken"
    taken.write_text("precious")
    busy = Collector()
    (t.folder / "closed").mkdir(mode=0o700)
    for target, words in ((f"unix:{taken}", "no socket is there; choose another path"),
                          (busy.target, "Address already in use"),
                          (f"unix:{t.folder}/none/feed", "No such file or directory")):
        done = t.run(t.tools.export, "--listen", "127.0.0.1:0", "--stream", f"listen:{target}",
                     name)
        equal(done.status, 1, f"{target} ({done.err!r})")
        check(words in done.err, target, done.err)
    equal(taken.read_text(), "precious")


@case
def a_socket_is_removed_at_the_end_and_one_left_behind_is_replaced(t):
    path = t.folder / "feed"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    feeder = Feeder(t, "--stream", f"listen:unix:{path}", t.fixture().name)
    Consumer.at(feeder.at[0]).frame()
    feeder.stop()
    check(not path.exists(), "still there")
    feeder = Feeder(t, "--stream", f"listen:unix:{path}", t.fixtures[0].name)
    path.unlink()
    other = Collector(path)
    feeder.stop()
    check(path.exists(), "another one's was removed")
    other.close()


@case
def segments_that_are_known_are_sent_though_others_cannot_be_looked_for(t):
    if os.geteuid() != 0:
        raise Skip("needs root, to run the exporter as somebody who may be refused")
    fixture = t.fixture(mode="0644")
    t.folder.chmod(0o777)
    process = t.start("--reuid=65534", "--clear-groups", t.tools.export, "--listen", "none",
                      "--stream", "-", *FAST, t.name("*"), exe="setpriv", text=False)
    equal(read_frame(process.stdout).segment["name"], fixture.name)
    mode = harness.SHM.stat().st_mode
    harness.SHM.chmod(0o711)
    try:
        wait_until(lambda: "snapshots: Permission denied" in t.errors(process), "a message")
        for _ in range(10):
            equal(read_frame(process.stdout).segment["name"], fixture.name)
    finally:
        harness.SHM.chmod(mode)
    process.send_signal(signal.SIGTERM)
    _, err = t.finish(process)
    equal(err.count("Permission denied"), 1, err)


def read_event(unpacker, connection):
    while True:
        for event in unpacker:
            return event
        unpacker.feed(connection.socket.recv(65536))


@case
def fluentd_gets_events(t):
    fixture = t.fixture()
    collector = Collector()
    feeder = Feeder(t, "--stream", f"fluentd:{collector.target}", "--stream",
                    f"listen:unix:{t.folder}/feed", fixture.name, interval=UNHURRIED)
    plain = Consumer.at(feeder.at[0])
    consumer = collector.accept()
    unpacker = msgpack.Unpacker()
    events = [read_event(unpacker, consumer) for _ in range(4)]
    frames = plain.frames(3)
    # The plain one begins when it has been let in, which may be behind all these events.
    while events[-1][2]["timestamp_ns"] < frames[-1].document["timestamp_ns"]:
        events.append(read_event(unpacker, consumer))
    for tag, time, record in events:
        equal(tag, f"astshm.{fixture.name}")
        equal((time.code, len(time.data)), (0, 8), "EventTime")
        seconds, nanoseconds = struct.unpack(">II", time.data)
        equal(seconds * 10**9 + nanoseconds, record["timestamp_ns"], "time")
        equal(record["metrics"]["counters"]["events.received"]["value"], 1000)
    documents = [event[2] for event in events]
    check(all(frame.document in documents for frame in frames), "other snapshots")
    feeder.stop()


HELO = msgpack.packb(["HELO", {"nonce": b"x" * 16, "auth": "", "keepalive": True}])
ASKS = "asks for a shared key, which is not spoken here; trying again"


def told(feeder):
    """Of the connection, up to one that is reset."""
    return re.findall(rf": fluentd:tcp:\S+: ({ASKS}|connected)\n",
                      feeder.said().split("Connection reset")[0])


def is_told_once(t, name):
    """Two connections are asked for a key, a third one lasts. False: an earlier one lasted
    half a second too, since nobody got to ask."""
    collector = Collector()
    feeder = Feeder(t, "--stream", f"fluentd:{collector.target}", name)
    for _ in range(2):
        collector.accept().socket.sendall(HELO)
    lasts = collector.accept()
    before = told(feeder)
    wait_until(lambda: told(feeder)[-1] == "connected", "a message that it lasts")
    lasts.reset()
    wait_until(lambda: "Connection reset by peer; trying again" in feeder.said(), "another one")
    feeder.stop()
    equal(told(feeder), [ASKS, "connected"] * (len(told(feeder)) // 2), "messages")
    return before == [ASKS]


@case
def a_fluentd_that_asks_for_a_key_is_told_of(t):
    name = t.fixture().name
    check(any(is_told_once(t, name) for _ in range(5)), "told of each try that is no connection")


@case
def names_of_the_feeds_are_reserved_on_metrics(t):
    fixture = t.fixture()
    feeder = Feeder(t, "--stream", f"listen:unix:{t.folder}/feed", "--stream", "unix:a\"b\\c",
                    fixture.name)
    text = feeder.get("/metrics").text
    check('target="unix:a\\"b\\\\c"' in text, text[:2000])
    for accept in ("application/openmetrics-text", "text/plain"):
        text = feeder.get("/metrics", Accept=accept).text
        equal(len(re.findall(r"^# TYPE astshm_feed_", text, re.M)), 6, "families")
    feeder.stop()


@case
def http_is_not_needed(t):
    process = t.start("--listen", "none", "--stream", f"listen:unix:{t.folder}/feed",
                      "--stream-interval", UNHURRIED, t.fixture().name, exe=t.tools.export)
    wait_until(lambda: "feeding listen:" in t.errors(process), "the socket")
    Consumer.at(f"unix:{t.folder}/feed").frames(2)
    _, err = t.finish(process, number=signal.SIGTERM)
    check("serving" not in err, err)


if __name__ == "__main__":
    harness.main()
