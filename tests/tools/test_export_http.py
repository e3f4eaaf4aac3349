#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-export over HTTP: paths, states of segments, limits."""
import gzip
import json
import select
import socket
import time

import msgpack

import harness
from exporter import Exporter, Reply, samples
from harness import case, check, equal, needs_empty_machine, wait_until

DOCUMENTS = ["metrics", "snapshot.json", "snapshot.msgpack", "summary.json", "history.json",
             "healthz"]


@case
def help_and_version_exit_0(t):
    done = t.run(t.tools.export, "--help")
    equal(done.status, 0)
    check(done.out.startswith("Usage: astshm-export"), done.out)
    check(all(len(line) <= 80 for line in done.out.splitlines()), "wider than 80 columns")
    check(t.run(t.tools.export, "--version").out.startswith("astshm-export 1."), "version")


@case
def wrong_usage_exits_2_with_one_line(t):
    name = t.name()
    for arguments in (["--no-such"], ["-x"], ["--listen"], ["--help=1"], [""],
                      ["--listen", "9464"], ["--listen", ":9464"], ["--listen", "::1:80"],
                      ["--listen", "unix:"], ["--listen", "unix:" + "x" * 200],
                      ["--listen", "0.0.0.0:0"], ["--listen", "[::]:0"],
                      ["--listen", "127.0.0.1:none"], ["--listen", "127.0.0.1:9464x"],
                      ["--native-schema", "7"], ["--native-schema", "-1"], ["--classic=1"],
                      ["--max-rate", "0"], ["--max-rate", "-1"], ["--max-rate", "1x"],
                      ["--max-connections", ""], ["--max-connections", "99999999999999999999"],
                      ["--allow-host", ""], ["--allow-host", "a:80"], ["--allow-host", "http://a"],
                      ["--allow-host", ".a"], ["--allow-host", "*.a"],
                      ["--allow-host", "a" * 300], ["--allow-host", "a"] * 65,
                      ["--tls-key", "x"], ["a/same", "b/same"], ["same", "same"]):
        named = [] if arguments[-1] in ("", "same", "b/same") else [name]
        done = t.run(t.tools.export, *named, *arguments)
        equal(done.status, 2, f"status for {arguments} ({done.err!r})")
        equal(done.err.count("\n"), 1, f"lines on stderr for {arguments}")
        check("ai_" not in done.err, "netdb.h is no reader's:", done.err)


@case
def each_document_is_the_one_that_astshm_cat_prints(t):
    name = t.fixture().name
    exporter = Exporter(t, name)
    for path, form in (("snapshot.json", "json"), ("summary.json", "summary")):
        ours, theirs = json.loads(exporter.get("/" + path).bytes), t.cat("-f", form, name).json()
        for volatile in ("timestamp", "timestamp_ns", "uptime_seconds", "segment"):
            ours.pop(volatile, None)
            theirs.pop(volatile, None)
        equal(ours, theirs, path)
    packed = msgpack.unpackb(exporter.get("/snapshot.msgpack").bytes)
    equal(packed["metrics"]["counters"]["events.received"]["value"], 1000)
    ours = samples(exporter.get("/metrics").text)
    theirs = samples(t.cat("-f", "prometheus", name).out)
    for own in ("astshm_up", "astshm_heartbeat_age_seconds", "astshm_left_out_series"):
        ours.pop(own)
    equal(ours, theirs, "metrics")
    exporter.stop()


@case
def content_types_are_told(t):
    exporter = Exporter(t, t.fixture(history=True).name)
    for path, kind in (("metrics", "text/plain; version=0.0.4; charset=utf-8"),
                       ("snapshot.json", "application/json"),
                       ("snapshot.msgpack", "application/vnd.msgpack"),
                       ("summary.json", "application/json"), ("history.json", "application/json"),
                       ("healthz", "text/plain; charset=utf-8"), ("", "text/html; charset=utf-8"),
                       ("segments.json", "application/json"),
                       ("page/main.js", "text/javascript; charset=utf-8"),
                       ("page/page.css", "text/css; charset=utf-8"),
                       ("page/icon.svg", "image/svg+xml")):
        equal(exporter.get("/" + path).type, kind, path)


@case
def json_has_buckets_when_asked(t):
    exporter = Exporter(t, t.fixture().name)
    plain = json.loads(exporter.get("/snapshot.json").bytes)["metrics"]["timings"]
    full = json.loads(exporter.get("/snapshot.json?buckets=1").bytes)["metrics"]["timings"]
    check("buckets" not in plain["request.duration"], plain)
    equal(sum(full["request.duration"]["buckets"]["counts"]), 100)


@case
def every_document_of_one_segment_is_under_its_path_too(t):
    server = t.fixture(history=True)
    exporter = Exporter(t, server.name)
    for document in DOCUMENTS:
        exporter.get(f"/segments/{server.name}/{document}")
    for path in ("/nothing", "/metrics/", "/segments", "/segments/", "/segments/x",
                 "/segments/x/metrics", f"/segments/{server.name}", f"/segments/{server.name}/",
                 f"/segments/{server.name}/../metrics", "//metrics"):
        exporter.get(path, status=404)


@case
def a_window_is_told_when_asked(t):
    server = t.fixture()
    exporter = Exporter(t, server.name)
    check("window" not in json.loads(exporter.get("/snapshot.json").bytes), "window unasked")
    server.ask("more")
    window = json.loads(exporter.get("/snapshot.json?window=60").bytes)["window"]
    check(window, window)
    check("window_seconds" in json.loads(exporter.get("/summary.json?window=5m").bytes), "summary")
    check("astshm_window_seconds" in samples(exporter.get("/metrics?window=60").text), "metrics")
    check(b"window" in exporter.get("/snapshot.msgpack?window=60").bytes, "msgpack")
    for wrong in ("0", "-1", "x", "", "1e3", "99999999999999999999"):
        exporter.get(f"/snapshot.json?window={wrong}", status=400)


@case
def what_is_asked_for_by_no_known_name_is_refused(t):
    exporter = Exporter(t, t.fixture().name)
    for wrong in ("windows=60", "window=60&windows=5", "Window=60", "metric=*&metrics=x", "=", "x"):
        said = exporter.get(f"/snapshot.json?{wrong}", status=400).text
        check("window=, metric=" in said, wrong, said)
    for twice in ("window=60&window=5", "buckets=1&buckets=0", "last=1&metric=*&last=0"):
        said = exporter.get(f"/snapshot.json?{twice}", status=400).text
        check("once" in said, twice, said)
    for bare in ("window", "metric", "buckets", "last=1&metric=*&window"):
        said = exporter.get(f"/snapshot.json?{bare}", status=400).text
        check("needs = and a value" in said, bare, said)
    for path in ("/metrics", "/history.json", "/healthz", "/segments.json"):
        exporter.get(f"{path}?windows=60", status=400)
    exporter.get("/page/main.js?windows=60&windows=60")
    exporter.get("/none?windows=60", status=404)


@case
def a_history_is_cut_to_its_window(t):
    server = t.fixture(history=True)
    exporter = Exporter(t, server.name)
    for _ in range(3):
        server.ask("more")

    def intervals(query=""):
        return json.loads(exporter.get("/history.json" + query).bytes)["intervals"]
    whole = intervals()
    check(len(whole) >= 3, whole)
    equal(intervals("?window=1h"), whole)
    # Entries are a millisecond apart; the interval in which a window begins belongs to it.
    equal(intervals("?window=0.000001"), whole[-1:])


@case
def a_dead_server_is_503_on_its_own(t):
    server = t.fixture()
    exporter = Exporter(t, server.name)
    exporter.get("/metrics")
    server.kill()
    for document in DOCUMENTS:
        for path in ("/", f"/segments/{server.name}/"):
            said = exporter.get(path + document, status=503).text
            check("is dead, last heard of" in said, said)
    exporter.stop()


@case
def a_server_that_comes_later_or_again_is_served(t):
    name = t.name()
    exporter = Exporter(t, name)
    check("no such segment" in exporter.get("/metrics", status=503).text, "missing")
    first = t.fixture(name=name)
    before = json.loads(exporter.get("/snapshot.json").bytes)["segment"]["generation"]
    first.kill()
    exporter.get("/metrics", status=503)
    t.fixture(name=name)
    after = json.loads(exporter.get("/snapshot.json").bytes)["segment"]["generation"]
    check(before != after, "still the first one's values")
    exporter.stop()


@case
def a_closed_server_is_503(t):
    server = t.fixture(keep=True)
    exporter = Exporter(t, server.name)
    exporter.get("/metrics")
    server.close()
    check("closed the segment" in exporter.get("/metrics", status=503).text, "text")


@case
def a_damaged_segment_is_503_and_is_looked_at_again(t):
    server = t.fixture()
    exporter = Exporter(t, server.path)
    whole = server.path.read_bytes()
    server.kill()
    server.path.write_bytes(b"\0" * len(whole))
    exporter.get("/metrics", status=503)
    server.path.write_bytes(b"")
    exporter.get("/metrics", status=503)
    check(exporter.process.poll() is None, "it died of it")


@case
def several_segments_are_told_apart_by_a_label(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    two.ask("more")
    exporter = Exporter(t, one.name, two.name)
    values = samples(exporter.get("/metrics").text)
    equal(values[f'events_received_total{{segment="{one.name}"}}'], 1000)
    equal(values[f'events_received_total{{segment="{two.name}"}}'], 1050)
    equal(values[f'astshm_up{{segment="{two.name}"}}'], 1)
    two.kill()
    values = samples(exporter.get("/metrics").text)
    equal(values[f'astshm_up{{segment="{one.name}"}}'], 1)
    equal(values[f'astshm_up{{segment="{two.name}"}}'], 0)
    check(f'astshm_heartbeat_age_seconds{{segment="{two.name}"}}' in values, "age")
    check(f'events_received_total{{segment="{two.name}"}}' not in values, "values of a dead one")
    exporter.get(f"/segments/{two.name}/metrics", status=503)
    exporter.get(f"/segments/{one.name}/metrics")
    exporter.get("/healthz", status=503)
    one.kill()
    equal(samples(exporter.get("/metrics").text)[f'astshm_up{{segment="{one.name}"}}'], 0)
    exporter.get("/snapshot.json", status=503)
    exporter.stop()


@case
def documents_of_several_segments_are_merged(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    exporter = Exporter(t, one.name, two.name)
    whole = json.loads(exporter.get("/snapshot.json").bytes)
    equal(whole["segment"], None)
    equal([source["name"] for source in whole["sources"]], [one.name, two.name])
    equal(whole["metrics"]["counters"]["events.received"]["value"], 2000)
    equal(json.loads(exporter.get("/summary.json").bytes)["event_processing"]["total_processed"],
          1980)
    for path, status, words in (("/history.json", 404, "a history"),
                                ("/metrics?window=60", 400, "window="),
                                ("/history.json?window=60", 404, "a history")):
        check(exporter.get(path, status=status).text.startswith(words), path)
    exporter.get(f"/segments/{one.name}/metrics?window=60")


@case
def a_segment_that_says_segment_itself_keeps_it_as_exported(t):
    server = t.fixture()
    server.ask("odd")
    exporter = Exporter(t, server.name, t.name("-none"))
    values = samples(exporter.get("/metrics").text)
    equal(values[f'odd_segment_total{{exported_segment="mine",segment="{server.name}"}}'], 1)
    equal(values[f'astshm_up{{segment="{server.name}"}}'], 1)
    check(values[f'astshm_left_out_series{{segment="{server.name}"}}'] == 1, values)


@case
def a_pattern_follows_what_appears_and_vanishes(t):
    needs_empty_machine()
    exporter = Exporter(t, "web-*")
    exporter.get("/metrics", status=503)
    exporter.get("/healthz", status=503)
    one, other = t.fixture(name="web-1"), t.fixture(name="db-1")
    equal(samples(exporter.get("/metrics").text)['astshm_up{segment="web-1"}'], 1)
    exporter.get("/segments/db-1/metrics", status=404)
    exporter.get("/segments/web-1/metrics")
    two = t.fixture(name="web-2")
    up = [key for key in samples(exporter.get("/metrics").text) if key.startswith("astshm_up")]
    equal(up, ['astshm_up{segment="web-1"}', 'astshm_up{segment="web-2"}'])
    one.close()
    up = [key for key in samples(exporter.get("/metrics").text) if key.startswith("astshm_up")]
    equal(up, ['astshm_up{segment="web-2"}'])
    exporter.get("/segments/web-1/metrics", status=404)
    two.kill()
    again = t.fixture(name="web-2")
    up = samples(exporter.get("/metrics").text)
    check("astshm_up{segment=\"web-2~1\"}" not in up, "a segment left behind is no server")
    equal(up['astshm_up{segment="web-2"}'], 1)
    exporter.get("/healthz")
    again.kill()
    exporter.get("/healthz", status=503)
    other.kill()
    exporter.stop()


@case
def without_an_argument_the_only_live_segment_is_served(t):
    needs_empty_machine()
    equal(t.run(t.tools.export, "--listen", "127.0.0.1:0").status, 3)
    one = t.fixture("-one")
    exporter = Exporter(t)
    equal(json.loads(exporter.get("/snapshot.json").bytes)["segment"]["name"], one.name)
    t.fixture("-two")
    equal(t.run(t.tools.export, "--listen", "127.0.0.1:0").status, 2)


@case
def gzip_is_sent_to_who_asks(t):
    exporter = Exporter(t, t.fixture().name)
    plain = exporter.get("/summary.json")
    equal(plain.headers["Content-Encoding"], None)
    for accept in ("gzip", "br, gzip;q=0.5", "deflate,x-gzip"):
        packed = exporter.get("/metrics", Accept_Encoding=accept)
        equal(packed.headers["Content-Encoding"], "gzip", accept)
        check(b"events_received_total 1000\n" in gzip.decompress(packed.bytes), "content")
    for accept in ("identity", "gzip;q=0", "gzip;q=0.000", "br"):
        equal(exporter.get("/metrics", Accept_Encoding=accept).headers["Content-Encoding"], None,
              accept)
    check("Accept-Encoding" in plain.headers["Vary"], "Vary")


@case
def only_get_and_head_are_answered(t):
    exporter = Exporter(t, t.fixture().name)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        equal(exporter.get("/metrics", status=405, method=method).headers["Allow"], "GET, HEAD")
    exporter.get("/metrics", status=405, method="POST", body=b"x" * 100000)
    head = exporter.get("/metrics", method="HEAD")
    check(int(head.headers["Content-Length"]) > 1000, head.headers)
    exporter.get("/metrics")


@case
def requests_above_the_rate_are_429(t):
    exporter = Exporter(t, "--max-rate", "1", t.fixture().name)
    exporter.get("/healthz")
    connection = exporter.connection()
    # Where a second passes between two, both are answered.
    for _ in range(100):
        connection.request("GET", "/healthz")
        reply = Reply(connection.getresponse())
        if reply.status != 200:
            break
    connection.close()
    equal((reply.status, reply.headers["Retry-After"]), (429, "1"))

    def is_served_again():
        time.sleep(0.2)
        connection = exporter.connection()
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    wait_until(is_served_again, "credit")


@case
def connections_above_the_limit_wait(t):
    exporter = Exporter(t, "--max-connections", "2", t.fixture().name)
    host, port = exporter.address.rsplit(":", 1)
    held = [socket.create_connection((host, int(port))) for _ in range(2)]
    for each in held:
        each.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(each.recv(20).startswith(b"HTTP/1.1 200"), "the first two are served")
    for each in held:
        each.close()

    def is_served():
        try:
            return exporter.get("/healthz").status == 200
        except OSError:
            return False
    wait_until(is_served, "room")
    held = [socket.create_connection((host, int(port))) for _ in range(8)]
    for each in held:
        each.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    served = 0
    while held:
        ready, _, _ = select.select(held, [], [], harness.PATIENCE)
        check(ready, "somebody waits for ever;", served, "were served")
        check(len(ready) <= 2, len(ready), "connections at a time")
        for each in ready:
            check(each.recv(20).startswith(b"HTTP/1.1 200"), "not served")
            each.close()
            held.remove(each)
            served += 1


@case
def what_is_no_request_harms_nobody(t):
    exporter = Exporter(t, t.fixture().name)
    host, port = exporter.address.rsplit(":", 1)
    unfinished = socket.create_connection((host, int(port)), timeout=harness.PATIENCE)
    unfinished.sendall(b"\0\xff\xfe" * 100)
    unfinished.shutdown(socket.SHUT_WR)  # test_export_idle.py waits for its end
    for bytes_ in (b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
                   b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
                   b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
                   b"GET /segments/%00%ff%0a/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
                   b"GET /metrics?window=%00&=&&buckets HTTP/1.1\r\nHost: localhost\r\n\r\n",
                   b"GET /page/%2e%2e/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
                   b"GET /snapshot.json?metric&metric=%00&metric=" + b"*a" * 5000 +
                   b"&window=x HTTP/1.1\r\nHost: localhost\r\n\r\n", b""):
        with socket.create_connection((host, int(port)), timeout=harness.PATIENCE) as client:
            try:
                client.sendall(bytes_)
                client.shutdown(socket.SHUT_WR)
                said = client.recv(12)
            except OSError:
                continue
            check(said == b"" or said.startswith(b"HTTP/1.") and not said.endswith(b"200"), said)
    exporter.get("/healthz")
    exporter.stop()
    equal(unfinished.recv(12), b"", "answer to no request")
    unfinished.close()


@case
def a_unix_socket_is_served_and_removed(t):
    server = t.fixture()
    path = t.folder / "door"
    exporter = Exporter(t, server.name, listen=f"unix:{path}")
    exporter.get("/metrics")
    taken = t.run(t.tools.export, "--listen", f"unix:{path}", server.name)
    equal(taken.status, 1, "a socket in use")
    exporter.get("/metrics")
    exporter.process.kill()
    exporter.process.wait()
    check(path.exists(), "killed: nobody removes it")
    again = Exporter(t, server.name, listen=f"unix:{path}")
    again.get("/metrics")
    again.stop()
    check(not path.exists(), "stopped: it is removed")
    path.write_text("precious")
    equal(t.run(t.tools.export, "--listen", f"unix:{path}", server.name).status, 1)
    equal(path.read_text(), "precious")


if __name__ == "__main__":
    harness.main()
