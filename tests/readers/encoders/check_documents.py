#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_documents.py EMIT SCHEMA: our documents, read by parsers we did not write.

JSON by Python's json, msgpack by python3-msgpack, both against the JSON Schema,
and each against the other.
"""
import json
import subprocess
import sys

try:
    import jsonschema
    import msgpack
except ImportError as missing:
    print(f"skipped: {missing}", file=sys.stderr)
    sys.exit(77)

EMIT, SCHEMA = sys.argv[1], sys.argv[2]
SAMPLES = ("rich", "threads", "interval", "merged", "empty", "window")
failures = 0


def check(truth, text):
    global failures
    if not truth:
        failures += 1
        print(f"FAILED: {text}", file=sys.stderr)


def emit(form, sample):
    return subprocess.run([EMIT, form, sample], check=True, stdout=subprocess.PIPE).stdout


def unique(pairs):
    """An object whose keys are each there once, in their order."""
    keys = [key for key, _ in pairs]
    check(len(keys) == len(set(keys)), f"a key twice in {keys}")
    return dict(pairs)


def same(json_value, msgpack_value, path):
    """Shape, keys and their order, types and values."""
    if isinstance(json_value, dict):
        check(isinstance(msgpack_value, dict) and list(json_value) == list(msgpack_value),
              f"{path}: keys differ")
        for key in json_value:
            same(json_value[key], msgpack_value[key], f"{path}/{key}")
    elif isinstance(json_value, list):
        check(len(json_value) == len(msgpack_value), f"{path}: lengths differ")
        for place, (left, right) in enumerate(zip(json_value, msgpack_value)):
            same(left, right, f"{path}/{place}")
    else:
        check(json_value == msgpack_value and type(json_value) is type(msgpack_value),
              f"{path}: {json_value!r} {msgpack_value!r}")


def check_sample(sample, schema):
    plain = json.loads(emit("json", sample), object_pairs_hook=unique)
    full = json.loads(emit("buckets", sample), object_pairs_hook=unique)
    pretty = json.loads(emit("pretty", sample), object_pairs_hook=unique)
    packed = msgpack.unpackb(emit("msgpack", sample), object_pairs_hook=unique)
    for name, document in (("json", plain), ("buckets", full), ("msgpack", packed)):
        try:
            jsonschema.validate(document, schema)
        except jsonschema.ValidationError as error:
            check(False, f"{sample} {name}: {error.message} at {list(error.absolute_path)}")
    check(full == pretty, f"{sample}: pretty differs")
    same(full, packed, sample)
    check("buckets" not in json.dumps(plain), f"{sample}: buckets though nobody asked")
    json.loads(emit("summary", sample), object_pairs_hook=unique)


def check_window(document):
    """Its series are those of the document, and its figures are told once."""
    window = document["window"]
    for kind, series in document["metrics"].items():
        check(list(window[kind]) == list(series), f"the window's {kind} are others")
    check(window["counters"]["events.received"] == {"rate": 10 / 59.875, "increase": 10},
          window["counters"]["events.received"])
    check(window["gauges"]["queue.depth[queue=udp]"] == {"min": 2.0, "max": 12.0, "last": 5.0},
          window["gauges"]["queue.depth[queue=udp]"])
    took = window["timings"]["event.processing.duration"]
    check(list(took) == ["count", "rate", "p50", "p95", "p99", "max", "min", "mean"], took)
    check(took["count"] == 1 and took["max"] == 0.25 and took["mean"] == 0.25, took)


def check_schema_rejects(schema):
    """A schema that accepts anything would show nothing."""
    document = json.loads(emit("buckets", "window"))
    check_rejected(schema, document, "a text for a counter",
                   lambda its: its["metrics"]["counters"].update(c={"value": "15420"}))
    check_rejected(schema, document, "a window without its length",
                   lambda its: its["window"].pop("seconds"))
    check_rejected(schema, document, "a gauge's current in a window",
                   lambda its: its["window"]["gauges"].update(g={"current": 1}))


def check_rejected(schema, document, what, change):
    changed = json.loads(json.dumps(document))
    change(changed)
    try:
        jsonschema.validate(changed, schema)
        check(False, f"the schema accepts {what}")
    except jsonschema.ValidationError:
        pass


with open(SCHEMA, encoding="utf-8") as file:
    SCHEMA_DOCUMENT = json.load(file)
jsonschema.Draft7Validator.check_schema(SCHEMA_DOCUMENT)
for each in SAMPLES:
    check_sample(each, SCHEMA_DOCUMENT)
check_schema_rejects(SCHEMA_DOCUMENT)
check_window(json.loads(emit("json", "window")))
sys.exit(1 if failures else 0)
