#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A real Prometheus scrapes astshm-export, which serves ast-server under load."""
import datetime
import json
import pathlib
import re
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "server"))

import harness  # of this folder, which is in front
import osc
from exporter import Exporter
from harness import PATIENCE, Skip, case, check, equal, wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples/prometheus"
SET = EXAMPLES.parent / "demo-set.xml"
READY = re.compile(r"^ast-server: ready, udp ([^,]*),", re.M)
# Width of a bucket of schema 6, and what doubles cost on the way.
BOUND = 2 ** (1 / 64) - 1 + 1e-9
# Between these quantiles there are samples enough that both sides mean the same one.
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
CONFIG = """
global:
  scrape_interval: 500ms
  scrape_timeout: 450ms
  evaluation_interval: 500ms
rule_files: ['rules-*.yml']
scrape_configs:
  - job_name: astshm
    static_configs:
      - targets: ['%s']
"""


class Server:
    def __init__(self, t, name):
        self.t, self.name = t, name
        self.log = t.folder / "server.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = t.background([
                t.tools.server, "--udp", "127.0.0.1:0", "--no-websocket", "--metrics", name, SET],
                stderr=log)
        wait_until(lambda: READY.search(self.log.read_text()), "ready")
        self.address = READY.search(self.log.read_text())[1]

    def load(self, count, *more):
        return self.t.background([self.t.tools.osc_send, self.address, count, "--mix", *more])

    def value(self, key):
        return float(self.t.cat("--value", key, self.name).out)

    def settle(self, count):
        wait_until(lambda: self.value("udp.packet.received") == count, "arrival")
        wait_until(lambda: self.value("udp.queue.depth") == 0, "empty queue")


class Prometheus:
    def __init__(self, t, target, *options):
        (t.folder / "prometheus.yml").write_text(CONFIG % target)
        self.log = t.folder / "prometheus.log"
        for _ in range(5):
            self.start(t, *options)
            wait_until(lambda: self.process.poll() is not None or self.is_ready(),
                       "a Prometheus that is ready")
            # It takes no port 0, and somebody else may have got the one that was free.
            if "address already in use" not in self.log.read_text():
                break
        check(self.process.poll() is None, self.log.read_text())

    def start(self, t, *options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = "127.0.0.1:%d" % free.getsockname()[1]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = t.background([
                "prometheus", f"--config.file={t.folder}/prometheus.yml",
                f"--storage.tsdb.path={t.folder}/data", f"--web.listen-address={self.address}",
                *options], stderr=log)

    def is_ready(self):
        try:
            # Whoever else may have the port need not answer.
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def ask(self, path):
        """Also what is wrong with a query comes as a document."""
        try:
            reply = urllib.request.urlopen(f"http://{self.address}/api/v1/{path}",
                                           timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            document = json.load(reply)
        equal(document["status"], "success", f"{path}: {document}")
        return document["data"]

    def query_at(self, instant, text):
        """{frozenset of labels: value}, the instance's own labels left out."""
        data = self.ask("query?" + urllib.parse.urlencode({"query": text, "time": instant}))
        return {frozenset((key, value) for key, value in each["metric"].items()
                          if key not in ("instance", "job")): float(each["value"][1])
                for each in data["result"]}

    def last_scrape(self, instant):
        """When it was. 0: it, or another one of the two seconds before, came too late; since
        then nothing has a value, or had when rules were evaluated."""
        values = self.query_at(instant, "min_over_time(up[2s]) * timestamp(up)")
        return next(iter(values.values()), 0)

    def query(self, text):
        """See query_at(); once no scrape was late, so that what was scraped is there."""
        found = {}

        def is_of_good_scrapes():
            instant = time.time()
            before = self.last_scrape(instant)
            found["values"] = self.query_at(instant, text)
            return before > 0 and self.last_scrape(instant) == before
        wait_until(is_of_good_scrapes, f"scrapes in time, to ask for {text}")
        return found["values"]

    def is_up(self):
        return set(self.query_at(time.time(), "up").values()) == {1}

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def scalar(self, text):
        values = self.query(text)
        return next(iter(values.values())) if values else None


def labels_of(name, series):
    tags = {re.sub(r"\W", "_", key): value for key, value in series.get("tags", {}).items()}
    return frozenset({**tags, "__name__": name}.items()) if name else frozenset(tags.items())


def exposed_name(key, series, unit=""):
    name = re.sub(r"[^a-zA-Z0-9_]", "_", series.get("name", key))
    return name if not unit or name.endswith("_" + unit) else f"{name}_{unit}"


def compare_counters(scraped, before, after):
    """What was scraped in between lies in between."""
    compared = exact = 0
    for key, series in before["metrics"]["counters"].items():
        family = before["families"][series.get("name", key)]
        if not family["monotonic"]:
            continue
        unit = "seconds" if family["unit"] == "seconds" else ""
        name = exposed_name(exposed_name(key, series, unit), {}, "total")
        low, high = series["value"], after["metrics"]["counters"][key]["value"]
        got = scraped[labels_of(name, series)]
        check(low <= got <= high, key, "scraped as", got, "not in", low, high)
        compared += 1
        exact += low == high
    return compared, exact


def compare_quantiles(prometheus, document):
    compared = worst = 0
    for field, q in QUANTILES.items():
        for key, series in document["metrics"]["timings"].items():
            if series["count"] * (1 - q) < 10:
                continue
            name = exposed_name(key, series, "seconds")
            got = prometheus.query(f"histogram_quantile({q}, {name})")[labels_of("", series)]
            error = abs(got - series[field]) / series[field]
            check(error <= BOUND, key, field, "is", got, "instead of", series[field])
            worst = max(worst, error)
            compared += 1
    return compared, worst


def check_log(prometheus):
    log = prometheus.log.read_text()
    check(not re.search(r"duplicate|out.of.order|out of bounds|different value but same|"
                        r"append failed|level=error", log, re.I), log[-3000:])


def check_restart(t, prometheus, server):
    """A server that was killed and started again, as it was or smaller, is a reset."""
    before = prometheus.scalar("events_received_total")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    wait_until(lambda: not prometheus.is_up(), "a dead server is seen")
    again = Server(t, server.name)
    again.load(100).wait()
    again.settle(100)
    wait_until(lambda: prometheus.scalar("events_received_total") == 100, "the new server's")
    check(before > 100, before)
    equal(prometheus.scalar("resets(events_received_total[5m])"), 1, "resets")
    timing = 'event_processing_duration_seconds{event_type=""}'
    now = prometheus.scalar(f"sum(histogram_count({timing}))")
    check(0 < now <= 100, "samples of the new server:", now)
    check(prometheus.scalar(f"sum(histogram_count(increase({timing}[5m])))") > now,
          "what both servers counted")
    again.process.terminate()
    equal(again.process.wait(PATIENCE), 0, "exit status of the server")


@case
def prometheus_sees_what_astshm_cat_sees(t):
    if not shutil.which("prometheus"):
        raise Skip("package prometheus is not installed")
    server = Server(t, t.name())
    exporter = Exporter(t, "--native-schema", "6", server.name)
    prometheus = Prometheus(t, exporter.address, "--enable-feature=native-histograms")
    load = server.load(6000, "--rate", "2000")
    wait_until(lambda: (prometheus.scalar("events_received_total") or 0) > 500, "samples")
    equal(load.wait(PATIENCE), 0, "exit status of osc-send")
    server.settle(6000)
    before = t.cat(server.name).json()
    seen = time.time()
    wait_until(lambda: (prometheus.scalar("timestamp(events_received_total)") or 0) > seen + 0.1,
               "a scrape of all")
    scraped = prometheus.query('{__name__=~".+_total"}')  # or there is a later scrape
    timings = t.cat(server.name).json()
    compared, exact = compare_counters(scraped, before, timings)
    check(compared >= 40 and exact >= 30, compared, exact)
    equal(prometheus.scalar("events_received_total"), 6000)
    quiet = {"metrics": {"timings": {
        key: series for key, series in before["metrics"]["timings"].items()
        if series["count"] == timings["metrics"]["timings"][key]["count"]}}}
    compared, worst = compare_quantiles(prometheus, quiet)
    check(compared >= 20, compared, "quantiles compared")
    print(f"# {compared} quantiles, the worst {100 * worst:.3f} % off")
    check_restart(t, prometheus, server)
    check_log(prometheus)
    prometheus.process.terminate()
    prometheus.process.wait(PATIENCE)
    exporter.stop()


def copy_rules(t):
    """Under the names that CONFIG asks for; evaluated as often as it says."""
    for name in ("rules.yml", "alerts.yml"):
        done = t.run("promtool", "check", "rules", EXAMPLES / name)
        check(done.status == 0, done.out, done.err)
        text = (EXAMPLES / name).read_text().replace("    interval: 15s\n", "")
        (t.folder / f"rules-{name}").write_text(text)


def send_pairs(server, count):
    """So many datagrams, two and two in the wrong order, of events that fail: no track `one`."""
    host, port = server.address.rsplit(":", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((host, int(port)))
        for number in range(0, count, 2):
            for swapped in (number + 1, number):
                sender.send(osc.event(1000 + swapped, "/live/track/renamed", "one", "x"))
        server.settle(count)


def has_evaluated_again(prometheus):
    """Whether all rules were, from now on; a rule that was not says why."""
    now = time.time()
    wait_until(lambda: all(datetime.datetime.fromisoformat(
        rule["lastEvaluation"][:19] + "+00:00").timestamp() > now + 1
        for rule in prometheus.rules()), "rules that are evaluated")
    for rule in prometheus.rules():
        equal((rule["health"], rule.get("lastError")), ("ok", None), rule["name"])


def check_recorded(prometheus):
    """What was sent by send_pairs: nothing was lost, and each event failed."""
    for rule in prometheus.rules():
        check(rule["type"] == "alerting" or prometheus.query(rule["name"]), rule, "is empty")
    check(prometheus.scalar("udp_packet_dropped_total") > 0, "nothing was late")
    equal(prometheus.scalar("segment:udp_loss:ratio5m"), 0, "loss")
    equal(prometheus.query('ALERTS{alertname="PacketsLost"}'), {})
    errors = {dict(labels)["error"]: value
              for labels, value in prometheus.query("segment:errors:rate5m").items()}
    counters = {re.fullmatch("errors_(.+)_total", dict(labels)["__name__"])[1]
                for labels in prometheus.query('{__name__=~"errors_.+_total"}')}
    equal(set(errors), {name for name in counters if not name.endswith("_by_type")})
    check(errors.pop("event_processing") > 0.1 and not any(errors.values()), errors)
    equal(set(prometheus.query('ALERTS{alertname="EventsFail"}').values()), {1})


def check_dashboard(prometheus):
    """Each of its queries finds something."""
    asked = 0
    for panel in json.loads((EXAMPLES / "dashboard.json").read_text())["panels"]:
        for target in panel["targets"]:
            text = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")
            check(prometheus.query(text), panel["title"], "has nothing for", text)
            asked += 1
    check(asked >= 15, asked, "queries")


@case
def rules_and_dashboard_find_what_ast_server_has(t):
    if not shutil.which("prometheus"):
        raise Skip("package prometheus is not installed")
    copy_rules(t)
    server = Server(t, t.name())
    exporter = Exporter(t, server.name)
    prometheus = Prometheus(t, exporter.address)
    wait_until(lambda: prometheus.scalar("udp_packet_received_total") == 0, "a first scrape")
    send_pairs(server, 400)
    wait_until(lambda: prometheus.scalar("udp_packet_received_total") == 400, "a scrape of all")
    has_evaluated_again(prometheus)
    check_recorded(prometheus)
    check_dashboard(prometheus)
    check_log(prometheus)
    prometheus.process.terminate()
    prometheus.process.wait(PATIENCE)


if __name__ == "__main__":
    harness.main()
