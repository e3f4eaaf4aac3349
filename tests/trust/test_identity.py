#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whose a segment is: numbers used again, namespaces, clocks, and a crowd of the dead."""
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import time

import harness
from harness import SHM, Fixture, Skip, case, check, equal, needs_empty_machine

DEAD = int(os.environ.get("TRUST_CROWD", "10000"))
COPIES = 100  # files; the other names are links to them
# Offsets in struct astshm_segment_header (doc/segment.md).
PID, CREATED_REALTIME, RESET_MONOTONIC = 52, 80, 568
DAY_NS = 86_400 * 10**9


def may_unshare(*options):
    if subprocess.run(["unshare", *options, "true"], capture_output=True).returncode:
        raise Skip("unshare " + " ".join(options) + " is not permitted")


def write_word(path, offset, value, form="=Q"):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(struct.pack(form, value))


def listed(t, *names):
    return {item["name"]: item for item in t.ls("--json", *names).json()["segments"]}


def timed(what, function):
    start = time.monotonic()
    result = function()
    print(f"  {what}: {(time.monotonic() - start) * 1000:.0f} ms")
    return result


# --- a crowd ------------------------------------------------------------------


def bury(t, prefix):
    """Leaves DEAD names of dead segments, of as many processes as there are copies."""
    dead = t.fixture("-dead")
    dead.kill()
    for copy in range(COPIES):
        first = SHM / f"astshm.{prefix}.{copy}.0"
        shutil.copyfile(dead.path, first)
        write_word(first, PID, 100_000 + copy, "=I")
        for link in range(1, DEAD // COPIES):
            os.link(first, SHM / f"astshm.{prefix}.{copy}.{link}")
    dead.path.unlink()


@case
def crowd_of_the_dead_hides_nobody(t):
    needs_empty_machine()
    bury(t, t.name())
    server = timed("a writer opens among them", t.fixture)
    items = timed(f"astshm-ls of {DEAD + 1}", lambda: listed(t))
    equal(len(items), DEAD + 1)
    equal([name for name, item in items.items() if item["state"] == "live"], [server.name])
    by_pid = timed("astshm-cat PID", lambda: t.cat("-f", "json", server.pid)).json()
    equal(by_pid["segment"]["name"], server.name)
    alone = timed("astshm-cat, the one that lives", lambda: t.cat("-f", "json")).json()
    equal(alone["segment"]["generation"], by_pid["segment"]["generation"])
    removed = timed("astshm-ls --prune", lambda: t.ls("--prune")).out.splitlines()
    equal(len(removed), DEAD)
    equal([path.name for path in SHM.glob("astshm.*")], [server.path.name])


@case
def pid_that_cannot_be_looked_up_is_not_said_to_be_none(t):
    server = t.fixture()

    def one_descriptor():
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

    # The folder takes the one that is left.
    said = t.run(t.tools.cat, "-f", "json", server.pid, preexec_fn=one_descriptor)
    equal(said.status, 1, said.out)
    check("Too many open files" in said.err, said.err)
    said = t.run(t.tools.cat, "-f", "json", server.name, preexec_fn=one_descriptor)
    equal(said.status, 0, said.err)


@case
def tools_without_addresses_say_so(t):
    if os.environ.get("TRUST_SANITIZED"):
        raise Skip("a sanitizer's own memory fits under no RLIMIT_AS")
    server = t.fixture()

    def no_more_addresses():
        resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))

    said = t.run(t.tools.cat, "-f", "json", server.name, preexec_fn=no_more_addresses)
    equal(said.status, 1, said.out)
    check("Cannot allocate memory" in said.err, said.err)
    said = t.run(t.tools.ls, "--json", preexec_fn=no_more_addresses)
    item = [i for i in said.json()["segments"] if i["name"] == server.name][0]
    check("memory" in item["error"], item)


# --- process ids --------------------------------------------------------------------


def next_pid_will_be(pid):
    with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
        file.write(str(pid - 1))


def start_as(pid, start):
    """A process with this very pid, which must be free."""
    for _ in range(100):
        next_pid_will_be(pid)
        process = start()
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    raise AssertionError(f"never got pid {pid}")


def use_pid_again(tools, name):
    """Runs as the first process of a pid namespace; prints what was seen as JSON."""
    seen = {}

    def run(exe, *arguments):
        done = subprocess.run([exe, *arguments], capture_output=True, text=True,
                              timeout=harness.PATIENCE)
        return [done.returncode, done.stdout, done.stderr]

    first = Fixture(tools["fixture"], name)
    pid = first.pid
    first.kill()
    stranger = start_as(pid, lambda: subprocess.Popen(["sleep", "1000"]))
    seen["dead, pid of a stranger"] = run(tools["ls"], "--json", name)
    seen["by the stranger's pid"] = run(tools["cat"], "-f", "json", str(pid))
    successor = Fixture(tools["fixture"], name)
    seen["taken over"] = run(tools["cat"], "-f", "json", name)
    successor.close()
    stranger.kill()
    stranger.wait()
    other = start_as(pid, lambda: subprocess.Popen(
        [tools["fixture"], name + ".other"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True))
    other.stdout.readline()
    seen["by the pid of its next owner"] = run(tools["cat"], "-f", "json", str(pid))
    other.kill()
    other.wait()
    print(json.dumps({"pid": pid, **seen}))


@case
def pid_used_again_is_no_sign_of_life(t):
    needs_empty_machine()
    isolate = ("--pid", "--fork", "--kill-child", "--mount-proc")
    may_unshare(*isolate)
    tools = {"fixture": t.tools.fixture, "cat": t.tools.cat, "ls": t.tools.ls}
    done = subprocess.run(["unshare", *isolate, sys.executable, __file__, "--use-pid-again",
                           json.dumps(tools), t.name()], capture_output=True, text=True,
                          timeout=harness.PATIENCE)
    equal(done.returncode, 0, done.stderr)
    seen = json.loads(done.stdout)
    item = json.loads(seen["dead, pid of a stranger"][1])["segments"][0]
    equal((item["state"], item["pid"]), ("dead", seen["pid"]))
    equal(seen["by the stranger's pid"][0], 3, seen["by the stranger's pid"])
    heir = json.loads(seen["taken over"][1])["segment"]
    equal(heir["state"], "live")
    check(heir["generation"] != item["generation"], heir)
    other = json.loads(seen["by the pid of its next owner"][1])["segment"]
    equal((other["name"], other["pid"]), (t.name() + ".other", seen["pid"]))
    for path in SHM.glob(f"astshm.{t.name()}*"):
        path.unlink()


class InsidePidNamespace(Fixture):
    """A server that takes itself for another pid than we do."""

    def __init__(self, exe, name):
        super().__init__("unshare", "--pid", "--fork", "--kill-child", exe, name)
        self.name = name
        children = f"/proc/{self.pid}/task/{self.pid}/children"
        self.outer_pid = int(open(children, encoding="ascii").read().split()[0])


@case
def writer_in_another_pid_namespace_is_found_and_judged(t):
    needs_empty_machine()
    may_unshare("--pid", "--fork")
    server = InsidePidNamespace(t.tools.fixture, t.name())
    t.fixtures.append(server)
    item = listed(t)[server.name]
    equal((item["state"], item["pid"]), ("live", 1))  # its own idea of its pid
    equal(t.cat("-f", "json", server.outer_pid).json()["segment"]["name"], server.name)
    t.cat("-f", "json", "1", status=3)  # our pid 1 is somebody else
    os.kill(server.outer_pid, 9)
    harness.wait_until(lambda: listed(t)[server.name]["state"] == "dead", "its death")


# --- clocks -----------------------------------------------------------------------------


@case
def reader_with_another_monotonic_clock_reads_the_same_values(t):
    server = t.fixture()
    values = t.cat("-f", "json", server.name).json()["metrics"]
    for offset in ("100000", "-100"):
        shifted = ("--time", "--fork", "--monotonic", offset)
        may_unshare(*shifted)
        said = t.run("unshare", *shifted, t.tools.cat, "-f", "json", server.name)
        equal(said.status, 0, said.err)
        document = said.json()
        equal(document["metrics"], values, offset)
        equal(document["segment"]["state"], "live", offset)
        check(document["segment"]["heartbeat_age_seconds"] >= 0, document["segment"])
        check(document["uptime_seconds"] >= 0, document["uptime_seconds"])
        item = t.run("unshare", *shifted, t.tools.ls, "--json", server.name).json()["segments"][0]
        equal(item["state"], "live", offset)
        check(item["heartbeat_age_seconds"] >= 0 and item["age_seconds"] >= 0, item)


@case
def wall_clock_that_was_set_back_makes_nothing_negative(t):
    server = t.fixture()
    write_word(server.path, CREATED_REALTIME, time.time_ns() + DAY_NS)
    item = listed(t, server.name)[server.name]
    equal((item["state"], item["age_seconds"]), ("live", 0))
    document = t.cat("-f", "json", server.name).json()
    check(document["uptime_seconds"] < 3600, document["uptime_seconds"])
    equal(document["metrics"]["counters"]["events.received"]["value"], 1000)


@case
def monotonic_words_of_another_boot_make_nothing_negative(t):
    server = t.fixture()
    later = time.monotonic_ns() + DAY_NS
    write_word(server.path, harness.HEARTBEAT, later)
    write_word(server.path, RESET_MONOTONIC, later)
    document = t.cat("-f", "json", server.name).json()
    equal(document["segment"]["heartbeat_age_seconds"], 0)
    equal(document["uptime_seconds"], 0)
    equal(document["segment"]["state"], "live")
    server.kill()
    equal(listed(t, server.name)[server.name]["state"], "dead")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--use-pid-again"]:
        use_pid_again(json.loads(sys.argv[2]), sys.argv[3])
    else:
        harness.main()
