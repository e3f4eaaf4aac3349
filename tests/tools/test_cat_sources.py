#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where astshm-cat reads: segments by name, pid and path; saved files."""
import json
import os
import shutil
import subprocess

import harness
from harness import SHM, case, check, equal, needs_empty_machine, wait_until


def events(result):
    return result.json()["metrics"]["counters"]["events.received"]["value"]


@case
def segment_is_found_by_name_pid_and_path(t):
    server = t.fixture()
    for argument in (server.name, server.pid, server.path):
        document = t.cat(argument).json()
        equal(document["segment"]["pid"], server.pid, argument)
        equal(document["metrics"]["counters"]["events.received"]["value"], 1000, argument)


@case
def segment_at_a_path_of_its_own_is_found(t):
    path = str(SHM / f"elsewhere.{os.getpid()}")
    try:
        server = t.fixture(name=path)
        equal(t.cat(path).json()["segment"]["pid"], server.pid)
    finally:
        if os.path.exists(path):
            os.unlink(path)


@case
def file_is_recognised_by_content(t):
    saved = t.save(t.fixture(), "no-suffix")
    equal(events(t.cat(saved)), 1000)
    equal(events(t.cat("no-suffix")), 1000)


@case
def copy_of_a_segment_is_read_as_a_dead_one(t):
    server = t.fixture()
    shutil.copy(server.path, t.folder / "image")
    result = t.cat("image")
    equal(events(result), 1000)
    equal(result.json()["segment"]["state"], "dead")


@case
def stdin_holds_a_snapshot(t):
    saved = t.save(t.fixture())
    equal(events(t.cat("-", stdin=saved.read_bytes())), 1000)
    with open(saved, "rb") as file:
        done = subprocess.run([t.tools.cat, "/dev/stdin"], stdin=file, capture_output=True)
    equal(json.loads(done.stdout)["schema"], "astshm.snapshot/1")
    t.cat("-", "-w", "1", stdin=b"", status=2)


@case
def last_snapshot_of_a_file_counts(t):
    server = t.fixture()
    stream = t.save(server).read_bytes()
    server.ask("more")
    stream += t.cat("-f", "msgpack", server.name).bytes
    equal(events(t.cat("-", stdin=stream)), 1050)
    equal(events(t.cat("-", stdin=stream + stream[:100])), 1050, "still being written")
    t.cat("-", stdin=stream[:100], status=6)


@case
def segment_comes_before_a_file_of_that_name(t):
    server = t.fixture()
    saved = t.save(server, server.name)
    server.ask("more")
    equal(events(t.cat(server.name)), 1050)
    equal(events(t.cat(f"./{saved.name}")), 1000)


@case
def digits_are_a_pid_before_a_file_here(t):
    server = t.fixture()
    t.save(server, str(server.pid))
    server.ask("more")
    equal(events(t.cat(server.pid)), 1050)
    saved = t.save(server, "4194304999")  # more than any pid
    equal(events(t.cat(saved.name)), 1050)


@case
def name_of_digits_comes_before_a_pid(t):
    named, other = t.fixture(name=f"{os.getpid()}0000"), t.fixture()
    equal(t.cat(named.name).json()["segment"]["pid"], named.pid)
    renamed = t.fixture(name=str(other.pid))
    equal(t.cat(other.pid).json()["segment"]["pid"], renamed.pid)


@case
def only_live_segment_needs_no_argument(t):
    needs_empty_machine()
    dead, live = t.fixture("-dead"), t.fixture("-live")
    dead.kill()
    equal(t.cat().json()["segment"]["pid"], live.pid)


@case
def several_live_segments_are_listed_and_exit_2(t):
    needs_empty_machine()
    one, two = t.fixture("-one"), t.fixture("-two")
    result = t.cat(status=2)
    check(one.name in result.err and two.name in result.err, result.err)
    equal(result.bytes, b"")


@case
def dead_segments_alone_are_listed_and_exit_2(t):
    needs_empty_machine()
    server = t.fixture()
    server.kill()
    result = t.cat(status=2)
    check(server.name in result.err and "dead" in result.err, result.err)


@case
def no_segment_at_all_exits_3(t):
    needs_empty_machine()
    result = t.cat(status=3)
    check("--wait" in result.err, "no hint what to do:", result.err)


@case
def wait_ends_when_the_segment_appears(t):
    name = t.name()
    waiting = t.start("--wait", "2m", "-f", "json", name)
    server = t.fixture(name=name)
    # It may see the segment before the server has recorded anything.
    equal(json.loads(t.finish(waiting)[0])["segment"]["pid"], server.pid)


@case
def wait_without_a_name_takes_the_first_live_segment(t):
    needs_empty_machine()
    waiting = t.start("--wait", "120", "-f", "json")
    server = t.fixture()
    equal(json.loads(t.finish(waiting)[0])["segment"]["pid"], server.pid)


@case
def wait_gives_up_in_the_end(t):
    t.cat("--wait", "0.05", t.name(), status=3)
    t.cat("--wait", "50ms", "/dev/shm/no/such/file", status=3)


@case
def merge_adds_segments_and_files_up(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    two.ask("more")
    saved = t.save(t.fixture("-three"))
    document = t.cat("--merge", one.name, two.name, saved).json()
    equal(document["segment"], None)
    equal(len(document["sources"]), 3)
    metrics = document["metrics"]
    equal(metrics["counters"]["events.received"]["value"], 3050)
    equal(metrics["timings"]["request.duration"]["count"], 320)
    equal(metrics["timings"]["request.duration"]["max"], 0.4)


@case
def merge_of_one_is_a_merged_document(t):
    document = t.cat("--merge", t.fixture().name).json()
    equal((document["segment"], len(document["sources"])), (None, 1))


@case
def merge_of_the_same_segment_twice_exits_2(t):
    server, other = t.fixture("-one"), t.fixture("-two")
    result = t.cat("--merge", server.name, other.name, server.path, status=2)
    check("would count twice" in result.err and str(server.path) in result.err, result.err)


@case
def merge_of_a_writer_live_and_saved_or_saved_twice_exits_2(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    first, later, both = t.save(one), t.folder / "later", t.folder / "both"
    t.cat("-f", "msgpack", "-o", later, one.name)
    t.cat("--merge", "-f", "msgpack", "-o", both, one.name, two.name)
    for twice in ((first, first), (first, later), (one.name, later), (two.name, first, both)):
        result = t.cat("--merge", *twice, status=2)
        check(str(twice[-1]) in result.err and "would count twice" in result.err, result.err)
    equal(events(t.cat("--merge", first, two.name)), 2000)


@case
def several_segments_without_merge_exit_2(t):
    t.cat("one", "two", status=2)


@case
def merged_snapshots_can_be_saved_and_read_again(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    path = t.folder / "merged"
    t.cat("--merge", "-f", "msgpack", "-o", path, one.name, two.name)
    equal(events(t.cat(path)), 2000)


@case
def since_shows_the_difference_to_a_saved_snapshot(t):
    server = t.fixture()
    saved = t.save(server)
    server.ask("more")
    document = t.cat("--since", saved, server.name).json()
    counters = document["metrics"]["counters"]
    equal(counters["events.received"]["increase"], 50)
    equal(counters["jobs.active"]["increase"], 0)
    check(counters["events.received"]["rate"] > 0, counters)
    check(document["interval_seconds"] > 0, document["interval_seconds"])
    timing = document["metrics"]["timings"]["request.duration"]
    equal(timing["count"], 20)
    check(abs(timing["p50"] / 0.4 - 1) < 0.01, timing)
    equal(t.cat("--since", saved, "--value", "events.received:increase", server.name).out, "50\n")


@case
def since_a_reset_counts_from_the_reset(t):
    server = t.fixture()
    saved = t.save(server)
    server.ask("reset")
    server.ask("more")
    counters = t.cat("--since", saved, server.name).json()["metrics"]["counters"]
    equal(counters["events.received"]["increase"], 50)


@case
def since_something_newer_is_an_error(t):
    server = t.fixture()
    old = t.save(server, "old")
    new = t.save(server, "new")
    t.cat("--since", new, old, status=1)
    t.cat("--since", t.folder / "missing", server.name, status=3)


if __name__ == "__main__":
    harness.main()
