#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The forms of /metrics that astshm-export offers, read by parsers we did not write."""
import collections
import pathlib
import re
import shutil

import msgpack

import harness
from exporter import Exporter, samples
from harness import Skip, case, check, equal

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "tools/astshm-export/metrics.proto"
OPENMETRICS = "application/openmetrics-text"
PROTOBUF = ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
            "encoding=delimited")
# What Prometheus 2.42 sends with --enable-feature=native-histograms, and without.
PROMETHEUS_NATIVE = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
    "application/openmetrics-text;version=1.0.0;q=0.8,"
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
PROMETHEUS = ("application/openmetrics-text;version=1.0.0,"
              "application/openmetrics-text;version=0.0.1;q=0.75,"
              "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")


@case
def the_form_is_the_one_that_is_asked_for(t):
    exporter = Exporter(t, t.fixture().name)
    text, openmetrics, protobuf = "text/plain", OPENMETRICS, "application/vnd.google.protobuf"
    for accept, wanted in (
            (None, text), ("", text), ("*/*", text), ("text/plain", text), ("text/html", text),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", text), ("garbage;;=,;q", text),
            (PROMETHEUS, openmetrics), (PROMETHEUS_NATIVE, protobuf), (PROTOBUF, protobuf),
            (OPENMETRICS + "; version=1.0.0; charset=utf-8", openmetrics),
            (OPENMETRICS + ";version=2.0.0", text),
            (OPENMETRICS + ";q=0.4, text/plain;q=0.5", text),
            (OPENMETRICS + ";q=0", text), (OPENMETRICS + ";q=1.5, text/plain;q=0.1", text),
            ("application/vnd.google.protobuf", text),
            (PROTOBUF.replace("delimited", "text"), text),
            ('application/openmetrics-text;version="1.0.0"', openmetrics)):
        headers = {} if accept is None else {"Accept": accept}
        got = exporter.get("/metrics", **headers).type
        check(got.split(";")[0] == wanted, repr(accept), "gave", got)


@case
def promtool_takes_the_text(t):
    if not shutil.which("promtool"):
        raise Skip("promtool (package prometheus) is not installed")
    one, two = t.fixture("-one"), t.fixture("-two")
    two.ask("odd")
    for exporter, path in ((Exporter(t, one.name), "/metrics?window=60"),
                           (Exporter(t, one.name, two.name), "/metrics")):
        done = t.run("promtool", "check", "metrics", stdin=exporter.get(path).bytes)
        check(done.status == 0, done.out, done.err)


def openmetrics_of(exporter, path="/metrics"):
    text = exporter.get(path, Accept=OPENMETRICS).text
    if text_string_to_metric_families is None:
        raise Skip("python3-prometheus-client is not installed")
    return text, list(text_string_to_metric_families(text))


@case
def openmetrics_has_the_values_of_the_text(t):
    one, two = t.fixture("-one"), t.fixture("-two")
    two.ask("odd")
    for exporter in (Exporter(t, one.name), Exporter(t, one.name, two.name)):
        text, families = openmetrics_of(exporter)
        check(text.endswith("\n# EOF\n"), text[-100:])
        ours = {(sample.name, frozenset(sample.labels.items())): sample.value
                for family in families for sample in family.samples
                if not sample.name.endswith("_created")}
        plain = samples(exporter.get("/metrics").text)
        equal(len(ours), len(plain), "samples")
        equal(ours[("events_received_total", frozenset(
            {"segment": one.name}.items() if 'segment="' in text else []))], 1000)
        exporter.stop()


@case
def openmetrics_names_units_and_beginnings(t):
    server = t.fixture()
    _, families = openmetrics_of(Exporter(t, server.name))
    by_name = {family.name: family for family in families}
    equal((by_name["request_duration_seconds"].unit, by_name["message_size_bytes"].unit,
           by_name["cpu_time_seconds"].unit, by_name["events_received"].unit),
          ("seconds", "bytes", "seconds", ""))
    equal(by_name["events_received"].type, "counter")
    equal(by_name["jobs_active"].type, "gauge")
    created = {sample.name: sample.value for family in families for sample in family.samples
               if sample.name.endswith("_created")}
    began = server.path.stat().st_ctime
    for name in ("events_received_created", "request_duration_seconds_created"):
        check(abs(created[name] - began) < 60, name, created[name], began)
    before = created["events_received_created"]
    server.ask("reset")
    server.ask("more")
    _, families = openmetrics_of(Exporter(t, server.name))
    after = next(sample.value for family in families for sample in family.samples
                 if sample.name == "events_received_created")
    check(after > before, "a reset begins it anew:", before, after)


@case
def openmetrics_tells_of_windows(t):
    _, families = openmetrics_of(Exporter(t, t.fixture().name), "/metrics?window=60")
    types = {family.name: family.type for family in families}
    equal(types["request_duration_seconds_window"], "summary")
    equal(types["events_received_window_rate"], "gauge")


# --- protobuf ------------------------------------------------------------------------


def read_text_format(text):
    """What protoc prints, as nested {key: [value, ...]}."""
    root = collections.defaultdict(list)
    stack = [root]
    for line in text.splitlines():
        line = line.strip()
        if line == "}":
            stack.pop()
        elif line.endswith(" {"):
            stack.append(collections.defaultdict(list))
            stack[-2][line[:-2]].append(stack[-1])
        else:
            key, value = line.split(": ", 1)
            stack[-1][key].append(value if not re.match(r"-?[\d.]", value) else float(value))
    return root


# The lengths in front of the messages make a list of them, with a tag before each.
LIST = 'import "metrics.proto"; message List { repeated io.prometheus.client.MetricFamily f = 1; }'


def with_tags(data):
    at = 0
    while at < len(data):
        start, length, shift = at, 0, 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
        at += length
        check(at <= len(data), "a message ends too early")
        yield b"\x0a" + data[start:at]


def protobuf_of(t, exporter):
    if not shutil.which("protoc"):
        raise Skip("protoc (package protobuf-compiler) is not installed")
    (t.folder / "list.proto").write_text('syntax = "proto2"; ' + LIST)
    data = b"".join(with_tags(exporter.get("/metrics", Accept=PROTOBUF).bytes))
    done = t.run("protoc", "--decode=List", "-I", t.folder, "-I", SCHEMA.parent, "list.proto",
                 stdin=data)
    check(done.status == 0, done.err)
    families = {}
    for family in read_text_format(done.out)["f"]:
        name = family["name"][0].strip('"')
        check(name not in families, name, "twice")
        families[name] = family
    return families


def native_of(histogram):
    """{bucket number: count}, spans and deltas undone."""
    counts, number, value = {}, 0, 0
    deltas = iter(histogram["positive_delta"])
    for span in histogram["positive_span"]:
        number += int(span["offset"][0])
        for _ in range(int(span["length"][0])):
            value += int(next(deltas))
            counts[number] = value
            number += 1
    check(next(deltas, None) is None, "deltas beyond the spans")
    return {number: count for number, count in counts.items() if count}


def buckets_at(series, schema):
    """The document's own buckets, put together: index i is (2^(i/64), 2^((i+1)/64)]."""
    counts = collections.Counter()
    for at, count in enumerate(series["buckets"]["counts"]):
        # Rounds up what is the upper bound's exponent: (i + 1) / 2^(6 - schema).
        counts[-(-(series["buckets"]["offset"] + at + 1) // 2 ** (6 - schema))] += count
    return {number: count for number, count in counts.items() if count}


@case
def native_buckets_are_exact_at_every_schema(t):
    server = t.fixture()
    document = msgpack.unpackb(t.cat("-f", "msgpack", server.name).bytes)["metrics"]
    for schema in range(7):
        families = protobuf_of(t, Exporter(t, "--native-schema", schema, server.name))
        for family, series in (
                ("request_duration_seconds", document["timings"]["request.duration"]),
                ("slow_operation_seconds", document["timings"]["slow.operation"]),
                ("message_size_bytes", document["distributions"]["message.size"])):
            histogram = families[family]["metric"][0]["histogram"][0]
            equal(histogram["schema"][0], schema)
            equal(native_of(histogram), buckets_at(series, schema), f"{family} at {schema}")
            equal(histogram["sample_count"][0], series["count"])
            equal(histogram["bucket"], [], "classic buckets")
            check(0 < histogram["zero_threshold"][0] < 2 ** -30, "zero threshold")


@case
def protobuf_has_the_values_of_the_text(t):
    server = t.fixture()
    server.ask("odd")
    exporter = Exporter(t, "--classic", server.name)
    families, text = protobuf_of(t, exporter), samples(exporter.get("/metrics").text)
    equal(families["events_received_total"]["type"], ["COUNTER"])
    equal(families["events_received_total"]["metric"][0]["counter"][0]["value"], [1000])
    equal(families["jobs_active"]["metric"][0]["gauge"][0]["value"], [3])
    equal(families["cpu_time_seconds_total"]["metric"][0]["counter"][0]["value"], [1.5])
    equal(families["events_received_total"]["help"], ['"Events that arrived."'])
    histogram = families["request_duration_seconds"]["metric"][0]["histogram"][0]
    equal(histogram["sample_sum"], [text["request_duration_seconds_sum"]])
    for bucket in histogram["bucket"]:
        line = f'request_duration_seconds_bucket{{le="{float(bucket["upper_bound"][0])}"}}'
        if line in text:
            equal(bucket["cumulative_count"][0], text[line], line)
    equal(len(histogram["bucket"]), 22)
    idle = families["idle_duration_seconds"]["metric"][0]["histogram"][0]
    check(idle["zero_threshold"][0] > 0, "without it, it is no native histogram")
    values = [metric["label"][0]["value"][0]
              for metric in families["odd_tag_total"]["metric"]]
    equal(values, [r'"a,b=c[d]\\\"\n\033[31m"'], "what a stranger wrote")


@case
def a_window_is_told_as_text(t):
    exporter = Exporter(t, t.fixture().name)
    check(exporter.get("/metrics?window=60", Accept=PROTOBUF).type.startswith("text/plain"),
          "type")


if __name__ == "__main__":
    harness.main()
