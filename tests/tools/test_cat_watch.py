#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-cat pass by pass: watching, differences, restarts, output files."""
import json
import os
import signal
import subprocess

import harness
from harness import case, check, equal, wait_until

STEP = ["-w", "0.02"]


@case
def watch_prints_one_json_document_a_line(t):
    out = t.cat(*STEP, "-n", "4", "-f", "json", t.fixture().name).out
    stamps = [json.loads(line)["timestamp_ns"] for line in out.splitlines()]
    equal(len(stamps), 4)
    equal(stamps, sorted(set(stamps)), "order of timestamps")


@case
def watch_prints_concatenated_msgpack_documents(t):
    try:
        import msgpack
    except ImportError:
        raise harness.Skip("needs python3-msgpack")
    data = t.cat(*STEP, "-n", "3", "-f", "msgpack", t.fixture().name).bytes
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(data)
    equal([d["schema"] for d in unpacker], ["astshm.snapshot/1"] * 3)


@case
def tables_are_separated_by_an_empty_line(t):
    name = t.fixture().name
    once = t.cat("-f", "table", "-m", "queue*", name).out
    twice = t.cat(*STEP, "-n", "2", "-f", "table", "-m", "queue*", name).out
    equal(twice.count("\n"), 2 * once.count("\n") + 1)
    equal(twice.count("queue:count"), 2)


@case
def summary_is_one_document_a_line(t):
    out = t.cat(*STEP, "-n", "2", "-f", "summary", t.fixture().name).out
    equal([bool(json.loads(line)) for line in out.splitlines()], [True, True])


@case
def count_alone_watches(t):
    out = t.cat("-n", "2", "--value", "events.received", t.fixture().name).out
    equal(out, "1000\n1000\n")


@case
def long_options_mean_the_same(t):
    out = t.cat("--watch", "0.01", "--count=2", "--format", "summary", t.fixture().name).out
    equal(out.count("\n"), 2)


@case
def durations_take_units(t):
    name = t.fixture().name
    for period in ("0.001", ".001", "1ms", "0.001s", "0.00001m", "0.000001h"):
        equal(t.cat("-w", period, "-n", "2", "--value", "queue:count", name).out, "7\n7\n", period)


@case
def delta_shows_rates_and_the_interval_alone(t):
    server = t.fixture()
    watching = t.start("-d", *STEP, "-f", "json", server.name)
    first = json.loads(watching.stdout.readline())
    equal(first["metrics"]["counters"]["events.received"], {"rate": 0, "increase": 0})
    equal(first["metrics"]["timings"]["request.duration"]["count"], 0)
    check(first["interval_seconds"] > 0, first["interval_seconds"])
    server.ask("more")
    increase, count, peak = 0, 0, None
    while count < 20 or increase < 50: # one pass may see but one of them
        document = json.loads(watching.stdout.readline())
        counter = document["metrics"]["counters"]["events.received"]
        timing = document["metrics"]["timings"]["request.duration"]
        increase += counter["increase"]
        count += timing["count"]
        check(counter["rate"] >= 0, counter)
        if timing["count"]:
            peak = timing["p50"]
    t.finish(watching, number=signal.SIGINT)
    equal((increase, count), (50, 20))
    check(abs(peak / 0.4 - 1) < 0.01, peak)


@case
def delta_does_not_count_the_first_pass(t):
    server = t.fixture()
    out = t.cat("-d", *STEP, "-n", "2", "-f", "json", server.name).out
    equal(out.count("\n"), 2)
    t.golden("delta.json", t.cat("-d", *STEP, "-n", "1", "-f", "json", "-m", "request.*", "-m",
                                 "events.received", server.name).out, server)


@case
def delta_implies_watching(t):
    server = t.fixture()
    watching = t.start("--delta", "--value", "events.received", server.name)
    equal(watching.stdout.readline(), "0\n")
    equal(watching.stdout.readline(), "0\n")
    t.finish(watching, number=signal.SIGTERM)


@case
def delta_over_a_reset_is_never_negative(t):
    server = t.fixture()
    watching = t.start("-d", *STEP, "-f", "json", server.name)
    watching.stdout.readline()
    server.ask("reset")
    server.ask("more")
    seen = 0
    while seen < 50:
        counters = json.loads(watching.stdout.readline())["metrics"]["counters"]
        for counter in counters.values():
            check(counter["increase"] >= 0 and counter["rate"] >= 0, counters)
        seen += counters.get("events.received", {"increase": 0})["increase"]
    t.finish(watching, number=signal.SIGINT)
    equal(seen, 50)


@case
def file_is_read_again_at_each_pass(t):
    server = t.fixture()
    saved = t.save(server)
    watching = t.start(*STEP, "--value", "events.received", saved)
    equal(watching.stdout.readline(), "1000\n")
    server.ask("more")
    t.save(server)
    wait_until(lambda: watching.stdout.readline() == "1050\n", "the new snapshot of the file")
    t.finish(watching, number=signal.SIGINT)


@case
def delta_of_an_unchanged_file_prints_nothing(t):
    saved = t.save(t.fixture())
    equal(t.cat("-d", *STEP, "-n", "2", saved).bytes, b"")


@case
def signal_ends_it_after_a_whole_document(t):
    name = t.fixture().name
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        watching = t.start("-w", "0.001", "-f", "json", name)
        first = watching.stdout.readline()
        rest, _ = t.finish(watching, number=number)
        for line in [first] + rest.splitlines():
            equal(json.loads(line)["schema"], "astshm.snapshot/1")


@case
def closed_pipe_ends_it_quietly(t):
    name = t.fixture().name
    for arguments in ([], STEP, ["-f", "table"], ["-w", "1h"]):
        reader, writer = os.pipe()
        watching = t.start(*arguments, name, stdout=writer)
        os.close(writer)
        check(os.read(reader, 1), "no output")
        os.close(reader)
        equal(t.finish(watching)[1], "", arguments)
    for exe in (t.tools.cat, t.tools.ls):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([exe, "--help"], stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        equal((done.returncode, done.stderr), (0, b""), exe)


@case
def restarted_writer_is_followed(t):
    server = t.fixture()
    watching = t.start(*STEP, "-f", "json", server.name)
    equal(json.loads(watching.stdout.readline())["segment"]["pid"], server.pid)
    server.kill()
    wait_until(lambda: json.loads(watching.stdout.readline())["segment"]["state"] == "dead",
               "the dead writer")
    again = t.fixture(name=server.name)
    again.ask("more")

    def sees_new_one():
        document = json.loads(watching.stdout.readline())
        if document["segment"]["pid"] != again.pid:
            return False
        counters = document["metrics"]["counters"]
        return counters.get("events.received", {}).get("value") == 1050

    wait_until(sees_new_one, "the new writer")
    err = t.finish(watching, number=signal.SIGINT)[1].splitlines()
    equal(len(err), 2, f"messages: {err}")
    check(f"pid {server.pid}" in err[0] and "dead" in err[0], err)
    check(f"pid {again.pid}" in err[1] and "new writer" in err[1], err)


@case
def delta_over_a_restart_counts_from_the_restart(t):
    server = t.fixture()
    watching = t.start("-d", *STEP, "-f", "json", server.name)
    watching.stdout.readline()
    server.kill()
    again = t.fixture(name=server.name)
    total, pid = 0, None
    while total < 1000:
        document = json.loads(watching.stdout.readline())
        counter = document["metrics"]["counters"].get("events.received")
        if counter:
            check(counter["increase"] >= 0, counter)
            total += counter["increase"]
        pid = document["segment"]["pid"]
    t.finish(watching, number=signal.SIGINT)
    equal((total, pid), (1000, again.pid))


@case
def vanished_segment_keeps_its_last_values(t):
    server = t.fixture()
    watching = t.start(*STEP, "-f", "json", server.name)
    watching.stdout.readline()
    server.close()
    check(not server.path.exists(), "the fixture left its segment")
    wait_until(lambda: json.loads(watching.stdout.readline())["segment"]["state"] == "closed",
               "the closed segment")
    document = json.loads(watching.stdout.readline())
    equal(document["metrics"]["counters"]["events.received"]["value"], 1000)
    err = t.finish(watching, number=signal.SIGINT)[1]
    equal(err.count("\n"), 1, f"messages: {err}")


@case
def require_live_ends_watching_when_the_writer_dies(t):
    server = t.fixture()
    watching = t.start(*STEP, "--require-live", "-f", "json", server.name)
    watching.stdout.readline()
    server.kill()
    out, _ = t.finish(watching, status=7)
    check(all(json.loads(line)["segment"]["state"] == "live" for line in out.splitlines()), out)


@case
def truncated_segment_ends_in_status_6(t):
    server = t.fixture()
    watching = t.start(*STEP, "-f", "json", server.name)
    watching.stdout.readline()
    server.process.send_signal(signal.SIGSTOP)
    os.truncate(server.path, 4096)
    t.finish(watching, status=6)


@case
def selection_that_matched_once_may_come_back(t):
    server = t.fixture()
    watching = t.start(*STEP, "-m", "work.done", "-f", "json", server.name)
    watching.stdout.readline()
    server.ask("reset")
    wait_until(lambda: "no series matches" in t.errors(watching), "the message")
    t.finish(watching, number=signal.SIGINT)


@case
def output_file_is_replaced_as_a_whole(t):
    server = t.fixture()
    path = t.folder / "out.json"
    watching = t.start("-w", "0.001", "-o", path, server.name)
    wait_until(path.exists, "the output file")
    stamps = set()

    def read_once():
        document = json.loads(path.read_text())  # never half of one
        equal(document["metrics"]["counters"]["events.received"]["value"], 1000)
        stamps.add(document["timestamp_ns"])
        return len(stamps) >= 50

    wait_until(read_once, "50 replacements")
    out, err = t.finish(watching, number=signal.SIGINT)
    equal((out, err), ("", ""))
    equal(sorted(os.listdir(t.folder)), ["out.json"], "files left behind")


@case
def output_file_keeps_its_mode_and_symbolic_links(t):
    server = t.fixture()
    path, link = t.folder / "real", t.folder / "link"
    os.umask(0o027)
    t.cat("-o", path, server.name)
    equal(path.stat().st_mode & 0o777, 0o640, "mode of a new file")
    path.chmod(0o604)
    link.symlink_to("real")
    before = path.stat().st_ino
    t.cat("-o", link, server.name)
    check(link.is_symlink() and path.stat().st_ino != before, "the link was replaced")
    equal(path.stat().st_mode & 0o777, 0o604, "mode of a replaced file")


@case
def output_takes_each_format(t):
    server = t.fixture()
    for form, start in (("json", b'{"schema"'), ("table", None), ("prometheus", b"#"),
                        ("summary", b'{"timestamp"')):
        path = t.folder / form
        t.cat("-f", form, "--output", path, server.name)
        check(path.read_bytes().startswith(start or b""), form)
    t.cat("--value", "queue:count", "-o", t.folder / "value", server.name)
    equal((t.folder / "value").read_text(), "7\n")


if __name__ == "__main__":
    harness.main()
