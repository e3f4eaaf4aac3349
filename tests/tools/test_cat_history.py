#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-cat --window, --history and --post-mortem."""
import json

import harness
from harness import Skip, case, check, equal

REQUESTS = "request.duration"


def documents(text):
    return [json.loads(line) for line in text.splitlines()]


def p95(t, *arguments):
    return float(t.cat("--value", REQUESTS + ":p95", *arguments).out)


def windowed(t, server, *arguments):
    """With the shortest window there is, which begins at the newest entry."""
    return t.cat("-f", "json", "--window", "0.000000001", *arguments, server.name).json()


# --- windows ---------------------------------------------------------------------------

@case
def a_window_has_what_happened_since_its_entry(t):
    server = t.fixture(history=True)
    server.ask("slow")
    entry = documents(t.cat("--history", "-n", "1", server.name).out)[0]
    document = t.cat("-f", "json", "--buckets", "--window", "60s", server.name).json()
    window = document["window"]
    equal(window["timings"][REQUESTS]["count"], 300)  # its whole life is shorter
    equal(window["counters"]["errors.event_processing"]["increase"], 3)
    equal(window["seconds"], document["uptime_seconds"])
    check(window["from"] < window["to"] <= document["timestamp"], window["from"])
    for kind, series in document["metrics"].items():
        equal(list(window[kind]), list(series))
    check("buckets" in window["timings"][REQUESTS])
    recent = windowed(t, server)["window"]
    check(recent["from"] >= entry["timestamp"][:19], recent["from"])
    equal(recent["timings"][REQUESTS]["count"], 0)
    equal(recent["timings"][REQUESTS]["p95"], None)
    check(recent["gauges"]["websocket.clients"] == {"min": 3.0, "max": 3.0, "last": 3.0})


@case
def a_spike_shows_in_its_interval_and_not_in_the_next(t):
    server = t.fixture(history=True)
    for _ in range(20):
        server.ask("fast")
    lifetime = p95(t, server.name)
    check(lifetime < 0.01, lifetime)
    server.ask("slow")
    spike = t.cat("--history", "-d", "-n", "1", "--value", REQUESTS + ":p95", server.name)
    check(float(spike.out) > 0.24, spike.out)
    check(p95(t, server.name) < 0.01)
    server.ask("fast")
    after = t.cat("--history", "-d", "-n", "1", "--value", REQUESTS + ":p95", server.name)
    check(float(after.out) < 0.01, after.out)


@case
def every_format_knows_the_window(t):
    server = t.fixture(history=True)
    table = t.cat("-f", "table", "--window", "1m", server.name).out
    check("\nin the last " in table and "PER SECOND" in table, table)
    text = t.cat("-f", "prometheus", "--window", "1m", server.name).out
    check("\nastshm_window_seconds " in text, text)
    check('\nrequest_duration_seconds_window{quantile="1"} 0.1\n' in text, text)
    summary = t.cat("-f", "summary", "--window", "1m", server.name).json()
    equal(list(summary)[:3], ["timestamp", "uptime_seconds", "window_seconds"])
    equal(summary["event_processing"]["total_processed"], 990)
    check("window_seconds" not in t.cat("-f", "summary", server.name).json())


@case
def numbers_are_the_windows(t):
    server = t.fixture(history=True)
    rate = float(t.cat("--window", "1m", "--value", "events.received", server.name).out)
    equal(rate > 0, True)
    equal(t.cat("--window", "1m", "--value", "events.received:increase", server.name).out,
          "1000\n")
    equal(t.cat("--window", "1m", "--value", "websocket.clients:min", server.name).out, "3\n")
    server.ask("more")
    now = windowed(t, server, "-m", "events.*", "--sort", "increase", "--top", "2")
    equal(list(now["window"]["counters"]), list(now["metrics"]["counters"]))
    grouped = windowed(t, server, "-g", "", "-m", "multi.tagged")
    equal(list(grouped["window"]["counters"]), ["multi.tagged"])


@case
def a_saved_window_is_kept(t):
    server = t.fixture(history=True)
    path = t.folder / "saved.msgpack"
    t.cat("-f", "msgpack", "--window", "1m", "-o", path, server.name)
    saved = t.cat("-f", "json", "--buckets", path).json()
    equal(saved["window"]["counters"]["events.received"]["increase"], 1000)
    t.cat("-f", "msgpack", "-o", t.folder / "again.msgpack", path)
    equal((t.folder / "again.msgpack").read_bytes(), path.read_bytes())
    equal(list(t.cat("-f", "json", "-m", "cpu.*", path).json()["window"]["counters"]),
          ["cpu.time"])
    check("window" not in t.cat("-f", "json", "--merge", path, t.fixture("-b").name).json())
    refused = t.cat("--window", "1m", path, status=9)
    check("saved snapshot" in refused.err, refused.err)


@case
def without_a_history_it_says_what_to_do(t):
    server = t.fixture()
    for arguments in (["--window", "1ms"], ["--history"], ["--post-mortem"]):
        refused = t.cat(*arguments, server.name, status=9)
        check("no history" in refused.err and "-d" in refused.err, refused.err)
        equal(refused.bytes, b"")
    # What has lived less than the window needs none.
    whole = t.cat("-f", "json", "--window", "1h", server.name).json()
    equal(whole["window"]["counters"]["events.received"]["increase"], 1000)
    saved = t.save(server)
    t.cat("--history", saved, status=9)
    t.cat("--post-mortem", saved, status=9)


# --- the history -----------------------------------------------------------------------

@case
def history_is_a_document_an_entry(t):
    server = t.fixture(history=True)
    for word in ("fast", "more", "reset", "fast"):
        server.ask(word)
    series = documents(t.cat("--history", server.name).out)
    equal(len(series), 5)
    equal([one["metrics"]["counters"].get("events.received", {}).get("value")
           for one in series], [1000, 1000, 1050, None, None])
    equal([one["timestamp"] for one in series], sorted(one["timestamp"] for one in series))
    equal(documents(t.cat("--history", "-n", "2", server.name).out), series[3:])
    counts = t.cat("--history", "-d", "--value", "events.processed:increase", server.name).out
    equal(counts.split(), ["1000", "0", "1000"])  # not over the reset
    steps = documents(t.cat("--history", "-d", server.name).out)
    equal(len(steps), 4)
    equal([one["metrics"]["timings"][REQUESTS]["count"] if REQUESTS in
           one["metrics"]["timings"] else None for one in steps], [1000, 20, None, 1000])
    check(all(one["interval_seconds"] > 0 for one in steps))


@case
def history_goes_through_msgpack(t):
    try:
        import msgpack
    except ImportError as missing:
        raise Skip(missing)
    server = t.fixture(history=True)
    server.ask("fast")
    unpacker = msgpack.Unpacker()
    unpacker.feed(t.cat("--history", "-f", "msgpack", server.name).bytes)
    series = list(unpacker)
    equal(len(series), 2)
    equal([one["timestamp_ns"] for one in series],
          [one["timestamp_ns"] for one in documents(t.cat("--history", server.name).out)])
    path = t.folder / "series.msgpack"
    t.cat("--history", "-f", "msgpack", "-o", path, server.name)
    equal(t.cat("-f", "json", path).json()["timestamp_ns"], series[-1]["timestamp_ns"])


@case
def history_selects(t):
    server = t.fixture(history=True)
    server.ask("slow")
    for one in documents(t.cat("--history", "-m", "errors.*", server.name).out):
        equal(list(one["metrics"]["counters"]), ["errors.event_processing"])
    t.cat("--history", "-m", "nothing", server.name, status=8)
    t.cat("--history", "--value", "nothing", server.name, status=8)
    server.ask("remove")
    last = documents(t.cat("--history", server.name).out)
    check(all("work.done" not in one["metrics"]["counters"] for one in last))
    check(all("cpu.time" in one["metrics"]["counters"] for one in last))


# --- after the end ---------------------------------------------------------------------

@case
def post_mortem_of_a_killed_server_that_was_restarted(t):
    server = t.fixture(history=True)
    for word in ("fast", "slow", "fast", "slow"):
        server.ask(word)
    server.kill()
    t.fixture(name=server.name, history=True)
    text = t.cat("--post-mortem", "-m", "request.*", "-m", "errors.*", server.name + "~1").out
    check("killed or crashed" in text and "last heartbeat" in text, text)
    rows = [line.split() for line in text.splitlines() if line[2:3] == line[5:6] == ":"]
    equal([row[-2] for row in rows[:4]], ["0", "1", "0", "1"])  # errors
    check(rows[1][4] == "250ms" and rows[0][3] == "1.00ms", rows)
    document = t.cat("--post-mortem", "-f", "json", server.name + "~1").json()
    equal(document["schema"], "astshm.post-mortem/1")
    equal(document["state"], "dead")
    steps = document["intervals"][:4]
    equal([one["timings"][REQUESTS]["count"] for one in steps], [1000, 200, 1000, 200])
    equal([one["timings"][REQUESTS]["max"] > 0.2 for one in steps], [False, True, False, True])
    for one, following in zip(steps, steps[1:]):
        check(one["from"] < one["to"] and one["to"][:23] == following["from"][:23], one["to"])
    equal(document["last"]["metrics"]["timings"][REQUESTS]["count"], 2500)
    equal(document["last"]["window"]["timings"][REQUESTS]["count"], 2500)
    check(document["since"] < document["last_heartbeat"] < document["last"]["timestamp"])
    alive = t.cat("--post-mortem", server.name)
    check("is alive" in alive.err and "~1" in alive.err, alive.err)


@case
def post_mortem_of_a_copy_and_of_an_orderly_end(t):
    server = t.fixture(keep=True)
    server.close()
    t.cat("--post-mortem", server.name, status=9)
    server = t.fixture("copy", history=True)
    path = t.folder / "copy.segment"
    path.write_bytes(server.path.read_bytes())
    check(" 1 entry, " in t.cat("--post-mortem", path).out, "one entry")
    server.ask("slow")
    path.write_bytes(server.path.read_bytes())
    text = t.cat("--post-mortem", "-m", "request.*", path).out
    check("killed or crashed" in text and "P50 to MAX: request.duration" in text, text)
    equal(t.cat("--post-mortem", "-f", "json", "-m", "request.*", path).json()["intervals"][0][
        "counters"], {})
    t.cat("--post-mortem", "-m", "nothing", path, status=8)
    t.cat("--post-mortem", "-o", t.folder / "out.txt", path)
    check((t.folder / "out.txt").read_text().startswith("ended "))


if __name__ == "__main__":
    harness.main()
