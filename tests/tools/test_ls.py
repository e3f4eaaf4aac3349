#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-ls: the list, and what it removes."""
import os
import subprocess

import harness
from harness import SHM, case, check, equal, needs_empty_machine, needs_root


def listed(t, *names):
    document = t.ls("--json", *names).json()
    equal(document["schema"], "astshm.list/1")
    return {item["name"]: item for item in document["segments"]}


@case
def nothing_there_is_an_empty_list(t):
    needs_empty_machine()
    equal(t.ls().out, "")
    equal(t.ls("--json").json(), {"schema": "astshm.list/1", "segments": []})
    equal(t.ls("--prune").out, "")


@case
def table_has_a_line_for_each_segment(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    lines = t.ls(one.name, two.name).out.splitlines()
    equal(lines[0].split(), ["NAME", "PID", "STATE", "AGE", "SIZE", "SERIES", "THREADS"])
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    equal(set(rows), {one.name, two.name})
    equal(rows[one.name][1:3], [str(one.pid), "live"])


@case
def json_agrees_with_the_snapshot(t):
    server = t.fixture()
    item = listed(t, server.name)[server.name]
    document = t.cat("-f", "json", server.name).json()
    segment = document["segment"]
    for key in ("pid", "generation", "bytes", "threads"):
        equal(item[key], segment[key], key)
    equal(item["series"], sum(segment["series"].values()))
    equal((item["state"], item["path"]), ("live", str(server.path)))
    check(0 <= item["age_seconds"] < 3600, item)


@case
def state_follows_the_writer(t):
    dead, kept = t.fixture("-dead"), t.fixture("-kept", keep=True)
    dead.kill()
    kept.close()
    items = listed(t)
    equal((items[dead.name]["state"], items[kept.name]["state"]), ("dead", "closed"))


@case
def unreadable_segments_are_listed_with_a_reason(t):
    name = t.name()
    path = SHM / f"astshm.{name}"
    path.write_bytes(b"no segment")
    try:
        item = listed(t, name)[name]
        equal(item["state"], None)
        check(item["error"], item)
        check("corrupt" in t.ls(name).out, "state in the table")
        t.ls("--prune", name, status=6)
        check(path.exists(), "a stranger's file was removed")
    finally:
        path.unlink()


@case
def odd_file_names_do_not_reach_the_terminal(t):
    needs_empty_machine()
    path = os.path.join(b"/dev/shm", b"astshm.odd\x1b[31m\xff")
    with open(path, "wb") as file:
        file.write(b"no segment")
    try:
        check("\x1b" not in t.run(t.tools.ls).bytes.decode("latin-1"), "escape sequence")
        t.ls("--json").json()
    finally:
        os.unlink(path)


@case
def prune_removes_dead_and_closed_segments_alone(t):
    needs_empty_machine()
    dead, kept, live = t.fixture("-dead"), t.fixture("-kept", keep=True), t.fixture("-live")
    dead.kill()
    kept.close()
    out = t.ls("--prune").out
    equal(sorted(line.split()[1] for line in out.splitlines()), sorted([dead.name, kept.name]))
    check("dead" in out and "closed" in out, out)
    equal((dead.path.exists(), kept.path.exists(), live.path.exists()), (False, False, True))
    equal(list(listed(t)), [live.name])


@case
def prune_with_names_leaves_the_others(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    one.kill()
    two.kill()
    document = t.ls("--prune", "--json", one.name).json()
    equal([item["name"] for item in document["removed"]], [one.name])
    equal((one.path.exists(), two.path.exists()), (False, True))


@case
def prune_never_removes_a_living_writers_segment(t):
    server = t.fixture()
    result = t.ls("--prune", server.name, status=1)
    check(str(server.pid) in result.err, result.err)
    equal(t.cat("--value", "queue:count", server.name).out, "7\n")


@case
def predecessors_kept_after_a_crash_are_listed_and_pruned(t):
    server = t.fixture()
    server.kill()
    again = t.fixture(name=server.name)
    old = server.name + "~1"
    equal({name: item["state"] for name, item in listed(t, old, again.name).items()},
          {old: "dead", again.name: "live"})
    equal(t.cat("--value", "events.received", old).out, "1000\n")
    t.ls("--prune", old)
    check(not (SHM / f"astshm.{old}").exists(), "still there")


@case
def prune_without_permission_exits_4(t):
    needs_root()
    server = t.fixture(mode="0644")
    server.kill()

    def as_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    done = subprocess.run([t.tools.ls, "--prune", server.name], capture_output=True,
                          preexec_fn=as_nobody, cwd="/")
    equal(done.returncode, 4, done.stderr.decode())
    check(server.path.exists(), "was removed")


@case
def missing_segment_exits_3(t):
    t.ls(t.name(), status=3)
    t.ls("--prune", t.name(), status=3)


@case
def wrong_usage_exits_2(t):
    for arguments in (["--no-such-option"], ["-x"], ["--json=1"]):
        equal(t.ls(*arguments, status=2).err.count("\n"), 1)


@case
def help_and_version_exit_0(t):
    check(t.ls("--help").out.startswith("Usage: astshm-ls"), "help")
    check(t.ls("--version").out.startswith("astshm-ls 1."), "version")


@case
def path_outside_the_default_folder_is_listed_and_pruned(t):
    path = t.folder / "seg.path"
    server = t.fixture(name=str(path))
    for argument in (path, "./seg.path"):
        item = listed(t, argument)[str(argument)]
        equal((item["state"], item["pid"]), ("live", server.pid))
        equal(t.ls(argument).out.splitlines()[1].split()[:3],
              [str(argument), str(server.pid), "live"])
    t.ls("--prune", "./seg.path", status=1)
    server.kill()
    equal(t.ls("--prune", "./seg.path").out.split()[:2], ["removed", "./seg.path"])
    check(not path.exists(), "still there")
    t.ls("./seg.path", status=3)


@case
def other_files_at_a_path_are_corrupt(t):
    server = t.fixture()
    (t.folder / "empty").write_bytes(b"")
    (t.folder / "garbage").write_bytes(b"no segment" * 1000)
    (t.folder / "short").write_bytes(server.path.read_bytes()[:5000])
    (t.folder / "link").symlink_to(server.path)
    (t.folder / "folder").mkdir()
    for name in ("empty", "garbage", "short", "link", "folder"):
        path = f"./{name}"
        equal(t.ls(path).out.splitlines()[1].split(), [path, "-", "corrupt"])
        check("corrupt" in listed(t, path)[path]["error"], name)
        result = t.ls("--prune", path, status=6)
        check(path in result.err and "Bad message" not in result.err, result.err)
        check(os.path.lexists(t.folder / name), name, "was removed")


@case
def prune_names_the_corrupt_files_it_leaves(t):
    needs_empty_machine()
    path = SHM / "astshm.junk"
    path.write_bytes(b"no segment")
    try:
        result = t.ls("--prune")
        check("remove by hand" in result.err and str(path) in result.err, result.err)
        check(path.exists(), "a stranger's file was removed")
    finally:
        path.unlink()


@case
def late_writer_is_told(t):
    server, dead = t.fixture("-live"), t.fixture("-dead")
    server.beat_ago(120, period=60)
    check("heartbeat" not in t.ls(server.name).out, "a beat in time")
    server.beat_ago(15)
    harness.check_beat_told(t.ls(server.name).out, 15)
    dead.beat_ago(2, period=60)
    dead.kill()
    harness.check_beat_told(t.ls(dead.name).out, 2)


@case
def without_a_beat_its_age_is_null(t):
    server = t.fixture()
    server.beat_ago(15, period=0)
    equal(listed(t, server.name)[server.name]["heartbeat_age_seconds"], None)
    check("heartbeat" not in t.ls(server.name).out, "nobody beats")
    server.beat_ago(15)
    check(15 <= listed(t, server.name)[server.name]["heartbeat_age_seconds"] < 3600)


@case
def columns_stand_below_each_other_whatever_the_names_hold(t):
    wide, plain = t.fixture("-\u6f22\u5b57e\u0301"), t.fixture("-plain")
    broken = SHM / f"astshm.{t.name('-broken')}"
    broken.write_bytes(b"no segment")
    try:
        lines = t.ls(wide.name, plain.name, broken.name[7:]).out.splitlines()
    finally:
        broken.unlink()
    equal(len(lines), 4)
    check(all(line == line.rstrip() for line in lines), "blanks at the end:", lines)

    def columns(text):
        """Of these letters: two for an ideogram, none for an accent."""
        return sum(0 if c == "\u0301" else 2 if c >= "\u4e00" else 1 for c in text)

    states = {columns(line[:line.index(word)]) for line, word in
              ((line, line.split()[2]) for line in lines)}
    equal(len(states), 1, f"columns of the state in {lines}")


if __name__ == "__main__":
    harness.main()
