#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What astshm-export has for its page: files, states, choices of metrics, last values."""
import gzip
import json
import pathlib
import re

import harness
from exporter import Exporter
from harness import case, check, equal


def document(reply):
    return json.loads(reply.bytes)


@case
def every_file_that_a_file_names_is_served(t):
    exporter = Exporter(t, t.fixture().name)
    waiting, seen = ["/"], set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        reply = exporter.get(path)
        named = re.findall(r'(?:src|href)="(page/[^"]*)"', reply.text) if path == "/" else \
            re.findall(r'^import .*"\./([^"]*)";', reply.text, re.M)
        waiting += {"/page/" + name.removeprefix("page/") for name in named} - seen
    check({"/page/page.css", "/page/icon.svg", "/page/uplot.js", "/page/main.js"} <= seen, seen)
    for wrong in ("/page/", "/page", "/page/none.js", "/page/../main.js", "/main.js",
                  "/page/main.js/", "/segments/x/page/main.js"):
        exporter.get(wrong, status=404)


@case
def files_are_those_of_the_tree(t):
    exporter = Exporter(t, t.fixture().name)
    folder = pathlib.Path(__file__).resolve().parents[2] / "tools/astshm-export/page"
    for path in (*folder.glob("*.js"), *folder.glob("*.svg"), *folder.glob("*.css")):
        served = exporter.get("/page/" + path.name).bytes
        # uPlot's style sheet may stand behind ours.
        equal(served[:path.stat().st_size], path.read_bytes(), path.name)
    equal(exporter.get("/").bytes, (folder / "index.html").read_bytes())


@case
def nothing_in_the_files_names_another_origin(t):
    exporter = Exporter(t, t.fixture().name)
    for name in re.findall(r'(?:src|href)="(page/[^"]*)"', exporter.get("/").text):
        text = exporter.get("/" + name).text
        # A namespace is a name, not an address.
        hosts = set(re.findall(r"https?://[^/\"' )]+", text)) - {"http://www.w3.org"}
        equal(hosts, set(), name)


@case
def the_page_has_a_strict_policy(t):
    exporter = Exporter(t, t.fixture().name)
    for path in ("/", "/page/main.js", "/page/page.css"):
        headers = exporter.get(path).headers
        policy = dict(part.strip().split(" ", 1)
                      for part in headers["Content-Security-Policy"].split(";"))
        equal(policy["default-src"], "'none'", path)
        for kind in ("script-src", "style-src", "connect-src", "img-src"):
            equal(policy[kind], "'self'", f"{path} {kind}")
        for kind in ("base-uri", "form-action", "frame-ancestors"):
            equal(policy[kind], "'none'", f"{path} {kind}")
        equal(headers["X-Content-Type-Options"], "nosniff", path)
        equal(headers["Referrer-Policy"], "no-referrer", path)
        equal(headers["Cache-Control"], "no-cache", path)
    equal(exporter.get("/metrics").headers["Content-Security-Policy"], None)


@case
def a_file_that_is_known_is_not_sent_again(t):
    exporter = Exporter(t, t.fixture().name)
    plain = exporter.get("/page/main.js")
    packed = exporter.get("/page/main.js", Accept_Encoding="gzip")
    equal(gzip.decompress(packed.bytes), plain.bytes)
    tags = plain.headers["ETag"], packed.headers["ETag"]
    check(tags[0] != tags[1], "two representations with one strong ETag")
    check(all(re.fullmatch(r'"[0-9a-f]+(-gzip)?"', tag) for tag in tags), tags)
    other = exporter.get("/page/page.css").headers["ETag"]
    exporter.get("/page/main.js", If_None_Match=other)
    for known in (*tags, f'W/{tags[0]}', f'{other}, {tags[1]}'):
        connection = exporter.connection()
        connection.request("GET", "/page/main.js", headers={"If-None-Match": known})
        reply = connection.getresponse()
        equal((reply.status, reply.read()), (304, b""), known)
        equal(reply.headers["ETag"], tags[0], known)
        connection.close()


@case
def states_of_segments_are_told(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    missing = t.name("-missing")
    exporter = Exporter(t, one.name, two.name, missing)
    two.kill()
    told = document(exporter.get("/segments.json"))
    equal(told["schema"], "astshm.segments/1")
    states = {segment["name"]: segment for segment in told["segments"]}
    equal([states[name]["state"] for name in (one.name, two.name, missing)],
          ["live", "dead", "missing"])
    equal(states[one.name]["pid"], one.pid)
    check(states[two.name]["heartbeat_age_seconds"] >= 0, states)
    equal(states[one.name]["heartbeat_period_seconds"], 1)
    check(states[one.name]["uptime_seconds"] > 0, states)
    equal(set(states[missing]), {"name", "state"})
    one.kill()
    exporter.get("/segments.json")
    exporter.get(f"/segments/{one.name}/segments.json", status=404)


@case
def metrics_can_be_chosen(t):
    server = t.fixture(history=True)
    server.ask("more")
    exporter = Exporter(t, server.name)
    chosen = "metric=events.received&metric=request.*"
    snapshot = document(exporter.get(f"/snapshot.json?window=60&{chosen}"))
    equal(list(snapshot["metrics"]["counters"]), ["events.received"])
    equal(list(snapshot["metrics"]["timings"]), ["request.duration"])
    equal(snapshot["metrics"]["gauges"], {})
    equal(list(snapshot["window"]["counters"]), ["events.received"])
    equal(set(snapshot["families"]), {"events.received", "request.duration"})
    history = document(exporter.get(f"/history.json?{chosen}"))
    check(history["intervals"], "no interval")
    for interval in history["intervals"]:
        equal(list(interval["counters"]), ["events.received"])
    whole = document(exporter.get("/summary.json?metric=none"))
    equal(whole["event_processing"]["total_processed"], 990, "a summary is a whole")
    for odd in ("*" + "*?" * 12 + "zz", "[", "\\", "a" * 5000, "%ff%fe", ""):
        exporter.get(f"/snapshot.json?metric={odd}", status=404)
    exporter.get("/snapshot.json?metric=events.received&" + "&".join(["metric=x"] * 31))
    exporter.get("/snapshot.json?" + "&".join(["metric=x"] * 33), status=400)


@case
def metrics_that_nothing_matches_are_told(t):
    server = t.fixture(history=True)
    server.ask("more")
    exporter = Exporter(t, server.name)
    for path in ("/snapshot.json", "/snapshot.msgpack", "/snapshot.json?window=60",
                 "/history.json"):
        query = f"{path}{'&' if '?' in path else '?'}metric=none"
        check("no metric matches" in exporter.get(query, status=404).text, path)
        exporter.get(f"{query}&metric=events.received")
    exporter.get("/snapshot.msgpack?metric=none&last=1")
    equal(document(exporter.get("/snapshot.json?metric=none&last=1"))["metrics"]["counters"], {})
    for interval in document(exporter.get("/history.json?metric=none&last=1"))["intervals"]:
        equal(interval["counters"], {})
    both = Exporter(t, server.name, t.fixture(".b").name)
    both.get("/snapshot.json?metric=none", status=404)
    both.get("/snapshot.json?metric=events.received")


@case
def a_history_has_buckets_when_asked(t):
    server = t.fixture(history=True)
    server.ask("more")
    exporter = Exporter(t, server.name)
    plain = document(exporter.get("/history.json"))["intervals"][-1]["timings"]
    check("buckets" not in plain["request.duration"], plain)
    full = document(exporter.get("/history.json?buckets=1"))["intervals"][-1]["timings"]
    equal(sum(full["request.duration"]["buckets"]["counts"]), 20)


@case
def last_values_of_a_dead_server_come_with_503(t):
    server = t.fixture(history=True)
    server.ask("more")
    exporter = Exporter(t, server.name)
    equal(document(exporter.get("/snapshot.json?last=1"))["segment"]["state"], "live")
    server.kill()
    check("is dead" in exporter.get("/snapshot.json", status=503).text, "unasked")
    last = document(exporter.get("/snapshot.json?last=1&window=60", status=503))
    equal(last["segment"]["state"], "dead")
    equal(last["metrics"]["counters"]["events.received"]["value"], 1050)
    check(last["window"]["seconds"] > 0, last["window"])
    check(document(exporter.get("/history.json?last=1", status=503))["intervals"], "history")
    for other in ("metrics", "summary.json", "healthz"):
        check("is dead" in exporter.get(f"/{other}?last=1", status=503).text, other)
    exporter.stop()


@case
def what_a_server_keeps_is_told_without_a_404(t):
    server = t.fixture()
    server.ask("reset")  # its life is no window any more
    server.ask("more")
    exporter = Exporter(t, server.name)
    for path in "/snapshot.json?window=60", "/summary.json?window=60", "/history.json":
        check("keeps no history" in exporter.get(path, status=404).text, path)
    told = document(exporter.get("/snapshot.json?window=60&last=1"))
    check("window" not in told, told.keys())
    equal(told["metrics"]["counters"]["events.received"]["value"], 50)
    check("event_processing" in document(exporter.get("/summary.json?window=60&last=1")), "summary")
    past = document(exporter.get("/history.json?last=1"))
    equal((past["intervals"], past["period_seconds"]), ([], 0))
    exporter.get("/metrics?window=60&last=1", status=404)


if __name__ == "__main__":
    harness.main()
