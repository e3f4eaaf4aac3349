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
SAMPLES = ("rich", "threads", "interval", "merged", "empty")
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


def check_schema_rejects(schema):
    """A schema that accepts anything would show nothing."""
    document = json.loads(emit("buckets", "rich"))
    document["metrics"]["counters"]["events.received"] = {"value": "15420"}
    try:
        jsonschema.validate(document, schema)
        check(False, "the schema accepts a text for a counter")
    except jsonschema.ValidationError:
        pass


with open(SCHEMA, encoding="utf-8") as file:
    SCHEMA_DOCUMENT = json.load(file)
jsonschema.Draft7Validator.check_schema(SCHEMA_DOCUMENT)
for each in SAMPLES:
    check_sample(each, SCHEMA_DOCUMENT)
check_schema_rejects(SCHEMA_DOCUMENT)
sys.exit(1 if failures else 0)
