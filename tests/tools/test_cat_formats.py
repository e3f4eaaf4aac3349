#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What astshm-cat prints: each format, byte for byte where it is constant."""
import json
import os
import pty
import re
import shutil
import subprocess

import harness
from harness import case, check, equal

try:
    import msgpack
except ImportError:
    msgpack = None


def unpack(data):
    if not msgpack:
        raise harness.Skip("needs python3-msgpack")
    return msgpack.unpackb(data, strict_map_key=False)


def without_buckets(value):
    """A msgpack document has buckets where a plain JSON one has none."""
    if isinstance(value, dict):
        return {k: without_buckets(v) for k, v in value.items() if k != "buckets"}
    return value


@case
def json_is_the_golden_document(t):
    server = t.fixture()
    out = t.cat("-f", "json", server.name).out
    equal(out.count("\n"), 1, "newlines")
    t.golden("snapshot.json", out, server)


@case
def json_holds_exactly_what_was_recorded(t):
    document = t.cat("-f", "json", t.fixture().name).json()
    metrics = document["metrics"]
    equal(document["schema"], "astshm.snapshot/1")
    equal(document["segment"]["state"], "live")
    equal(metrics["counters"]["events.received"]["value"], 1000)
    equal(metrics["counters"]["jobs.active"]["value"], 3)
    equal(metrics["counters"]["cpu.time"]["value"], 1.5)
    equal(metrics["counters"]["multi.tagged[host=n1,zone=a]"]["tags"], {"host": "n1", "zone": "a"})
    equal(metrics["gauges"]["cache.hit_rate"]["current"], 0.873)
    equal(metrics["gauges"]["cache.hit_rate"]["min"], 0.5)
    request = metrics["timings"]["request.duration"]
    equal((request["count"], request["sum"], request["min"], request["max"]),
          (100, 5.05, 0.001, 0.1))
    for name, exact in (("p50", 0.05), ("p90", 0.09), ("p99", 0.099)):
        check(abs(request[name] / exact - 1) < 0.02, name, request[name])
    equal(metrics["timings"]["slow.operation"]["max"], 2.000000001)
    equal(metrics["timings"]["idle.duration"]["count"], 0)
    equal(metrics["timings"]["idle.duration"]["p95"], None)
    size = metrics["distributions"]["message.size"]
    equal((size["count"], size["sum"], size["unit"]), (10, 5500, "bytes"))


@case
def pretty_json_is_the_golden_document(t):
    server = t.fixture()
    pretty = t.cat("--pretty", "-f", "json", "-m", "events.*", server.name)
    t.golden("pretty.json", pretty.out, server)


@case
def buckets_add_up_to_count(t):
    server = t.fixture()
    plain = t.cat("-f", "json", server.name).json()["metrics"]["timings"]
    timings = t.cat("-f", "json", "--buckets", server.name).json()["metrics"]["timings"]
    check("buckets" not in plain["request.duration"], "buckets without --buckets")
    for key, timing in timings.items():
        buckets = timing["buckets"]
        total = buckets["zero_count"] + sum(buckets["counts"]) + buckets["overflow_count"]
        equal(total, timing["count"], key)
    equal(timings["slow.operation"]["buckets"]["sum"], 2000000001)
    t.golden("buckets.json",
             t.cat("-f", "json", "--buckets", "-m", "slow.*", server.name).out, server)


@case
def per_thread_shows_who_recorded_what(t):
    server = t.fixture()
    out = t.cat("-f", "json", "--per-thread", "-m", "work.*", server.name).out
    threads = json.loads(out)["metrics"]["counters"]["work.done"]["per_thread"]
    equal({part["name"]: part["value"] for part in threads}, {"fixture": 12, "worker": 30})
    t.golden("per-thread.json", out, server)
    table = t.cat("-f", "table", "--per-thread", "-m", "work.*", server.name).out
    check("worker" in table and "fixture" in table, "thread names in the table:", table)


@case
def msgpack_decodes_to_the_same_document_as_json(t):
    server = t.fixture()
    server.kill()  # so that nothing moves between the two calls
    packed = unpack(t.cat("-f", "msgpack", server.name).bytes)
    plain = t.cat("-f", "json", server.name).json()
    check(len(packed["metrics"]["timings"]["request.duration"]["buckets"]["counts"]) > 0)
    for key in ("timestamp", "timestamp_ns"):
        packed.pop(key), plain.pop(key)
    for document in (packed, plain):
        document["segment"].pop("heartbeat_age_seconds")
    equal(without_buckets(packed), plain)


@case
def prometheus_is_the_golden_text(t):
    server = t.fixture()
    out = t.cat("-f", "prometheus", server.name).out
    check("events_received_total 1000\n" in out, out)
    check('events_received_by_type_total{event_type="/live/track/mute"} 600\n' in out, out)
    t.golden("snapshot.prom", out, server)


@case
def prometheus_text_passes_promtool(t):
    if not shutil.which("promtool"):
        raise harness.Skip("needs promtool (package prometheus)")
    text = t.cat("-f", "prometheus", t.fixture().name).bytes
    # Exit status 3 is about style (names the host program chose); 1 is a syntax error.
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    check(done.returncode in (0, 3), done.stderr.decode())


@case
def summary_is_the_golden_document(t):
    server = t.fixture()
    out = t.cat("-f", "summary", server.name).out
    summary = json.loads(out)
    equal(summary["event_processing"]["total_processed"], 990)
    equal(summary["udp_listener"], {"packets_received": 1010, "packets_dropped": 10})
    equal(summary["errors"], {"errors.event_processing": 2})
    equal(summary["cache"]["hit_rate_percent"], 87.3)
    equal(summary["websocket"]["clients_connected"], 3)
    t.golden("summary.json", out, server)


@case
def table_lists_every_series(t):
    server = t.fixture()
    out = t.cat("-f", "table", server.name).out
    for key in t.cat("-f", "json", server.name).json()["metrics"]["timings"]:
        check(key in out, key, "is missing in", out)
    check("1000" in out.replace(",", "") and "0.873" in out, out)
    check("\x1b" not in out, "escape sequences outside a terminal")
    header, _, body = out.partition("\n\n")
    check(server.name in header and str(server.pid) in header and "live" in header, header)
    t.golden("table.txt", body, server)


def on_terminal(t, *arguments, env=None, rows=25, columns=100):
    """Output of astshm-cat with a terminal of that size as stdout."""
    import fcntl
    import struct
    import termios
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen([t.tools.cat, *arguments], stdout=slave, cwd=t.folder,
                               env={**os.environ, "TERM": "xterm", **(env or {})})
    os.close(slave)
    data = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # EIO: the last writer closed the terminal
            break
        if not piece:
            break
        data += piece
    os.close(master)
    equal(process.wait(harness.PATIENCE), 0, "exit status")
    return data.decode().replace("\r\n", "\n")


@case
def default_is_table_on_a_terminal_and_json_elsewhere(t):
    server = t.fixture()
    equal(t.cat(server.name).json()["schema"], "astshm.snapshot/1")
    table = on_terminal(t, server.name, env={"NO_COLOR": "1"})
    check(not table.startswith("{") and "request.duration" in table, table)
    check("\x1b" not in table, "NO_COLOR was not obeyed")
    check(all(len(line) <= 100 for line in table.splitlines()), "wider than the terminal:", table)


@case
def table_on_a_terminal_is_redrawn_in_watch_mode(t):
    out = on_terminal(t, "-w", "0.05", "-n", "3", t.fixture().name)
    equal(out.count("\x1b[2J"), 3, "times the screen was cleared")


@case
def table_is_cut_to_the_window_in_watch_mode(t):
    name = t.fixture().name
    whole = t.cat("-f", "table", name).out.splitlines()
    for rows, columns in ((25, 100), (12, 200), (10, 50)):
        out = on_terminal(t, "-w", "0.05", "-n", "2", name, rows=rows, columns=columns)
        screens = [re.sub("\x1b\\[[0-9;]*m", "", part) for part in out.split("\x1b[2J")[1:]]
        equal(len(screens), 2)
        lines = screens[0].removesuffix("\x1b[H").splitlines()
        filled = sum(max(1, -(-len(line) // columns)) for line in lines)
        check(filled <= rows - 1, filled, "rows in a window of", rows)
        check(columns < 100 or filled == rows - 1, filled, "rows only in a window of", rows)
        check(lines[0].startswith(name), lines[0])
        note = re.fullmatch("\u2026 (\\d+) more lines; narrow with -m or --top", lines[-1])
        check(note, lines[-1])
        equal(int(note[1]), len(whole) - (len(lines) - 1), "lines left out")
    tall = on_terminal(t, "-w", "0.05", "-n", "1", name, rows=len(whole) + 1)
    check("more lines" not in tall, "cut although it fits:", tall)
    check("more lines" not in on_terminal(t, name, rows=10), "cut without --watch")


@case
def delta_table_leaves_out_what_did_not_happen(t):
    server = t.fixture()
    saved = t.save(server)
    out = t.cat("--since", saved, "-f", "table", server.name).out
    total = len([k for kind in ("counters", "timings", "distributions")
                 for k in t.cat("-f", "json", server.name).json()["metrics"][kind]])
    check("cache.hit_rate" in out and "COUNTERS" not in out, out)
    check(f"\n{total} series without activity in the interval not shown\n" in out, out)
    server.ask("more")
    out = t.cat("--since", saved, "-f", "table", server.name).out
    shown = [line.split()[0] for line in out.split("\n\n", 1)[1].splitlines() if line]
    check("events.received" in shown and "request.duration" in shown, out)
    check("queue:count" not in shown and "work.duration" not in shown, out)
    check(f"\n{total - 2} series without" in out, out)
    everything = t.cat("--since", saved, "-f", "json", server.name).json()["metrics"]
    check("queue:count" in everything["counters"], "json leaves nothing out")


@case
def table_tells_of_a_late_writer(t):
    server = t.fixture()
    head = lambda: t.cat("-f", "table", server.name).out.splitlines()[0]
    server.beat_ago(120, period=60)
    check("heartbeat" not in head(), head())
    server.beat_ago(15)
    harness.check_beat_told(head(), 15)
    check("live  heartbeat" in head(), head())
    server.beat_ago(15, period=0)
    check("heartbeat" not in head(), head())
    server.beat_ago(2, period=60)
    server.kill()
    harness.check_beat_told(head(), 2)
    check("dead  heartbeat" in head(), head())


@case
def first_interval_is_announced_on_a_terminal(t):
    server = t.fixture()
    master, slave = pty.openpty()
    for period, told in (("2", True), ("0.02", False)):
        watching = t.start("-d", "-w", period, server.name, stdout=slave)
        if told:
            harness.wait_until(lambda: "first interval" in t.errors(watching), "the note")
        else:
            check(os.read(master, 1), "no table")
            check("first interval" not in t.errors(watching), t.errors(watching))
        watching.kill()
        watching.wait()
    for fd in (master, slave):
        os.close(fd)


@case
def output_dash_is_stdout(t):
    server = t.fixture()
    equal(t.cat("-o", "-", "--value", "queue:count", server.name).out, "7\n")
    equal(os.listdir(t.folder), [])


@case
def odd_names_and_values_are_escaped(t):
    server = t.fixture()
    server.ask("odd")
    document = t.cat("-m", "odd.*", server.name).json()
    equal(document["metrics"]["gauges"]["odd.nan"]["current"], None)
    value = 'a,b=c[d]\\"\n\x1b[31m'
    tags = [series["tags"] for key, series in document["metrics"]["counters"].items()
            if key.startswith("odd.tag")]
    equal(tags, [{"k": value}])
    check("odd.\u00e4" in document["metrics"]["counters"], "UTF-8 in a name")
    for form in ("table", "prometheus"):
        out = t.cat("-f", form, "-m", "odd.*", server.name).out
        check("\x1b" not in out or form == "prometheus", "a stranger's escape on a terminal")
    if msgpack:
        packed = unpack(t.cat("-f", "msgpack", "-m", "odd.tag", server.name).bytes)
        equal([s["tags"] for s in packed["metrics"]["counters"].values()], [{"k": value}])


@case
def numbers_do_not_depend_on_the_locale(t):
    server = t.fixture()
    env = {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}
    equal(t.cat("--value", "cpu.time", server.name, env=env).out, "1.5\n")
    equal(t.cat("-w", "0.01", "-n", "1", server.name, env=env).json()["schema"],
          "astshm.snapshot/1")


if __name__ == "__main__":
    harness.main()
