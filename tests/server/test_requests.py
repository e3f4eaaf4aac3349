#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What clients ask the server, and what they are answered."""
import json
import pathlib
import re
import shutil
import subprocess

import jsonschema

import client as websocket
import harness
import osc
from client import ask, expect, nothing_more, receive, say, welcomed, without_hashes
from harness import PATIENCE, Server, counters, of_traffic, sample_count, small_set, tools, \
    workplace


def printed(form, segment):
    """What astshm-cat makes of it, from outside."""
    done = subprocess.run([tools.cat, "-f", form, segment], capture_output=True, check=True,
                          timeout=PATIENCE)
    return json.loads(done.stdout)


async def refused(client, kind, payload=None, error="Invalid request"):
    answer, why = await ask(client, kind, payload)
    assert (answer, why["error"]) == ("ERROR", error), (answer, why)
    return why.get("details", "")


async def rename(server, client, number, name):
    server.send(osc.event(number, "/live/track/renamed", 0, name))
    change, = (await expect(client, "DIFF_UPDATE"))["diff"]["changes"]
    assert change["new_value"] == {"name": name}, change
    # Answered by the thread of the events, which so has counted this one.
    assert (await ask(client, "GET_NODE", {"id": "none"})) == ("NODE", None)


# --- metrics ------------------------------------------------------------------------

WRONG_WINDOWS = (0, -1, "60s", "", True, [60], {}, 1e-12)


async def check_window(client, document, schema):
    """The whole life of a server that is younger than the window."""
    _, recent = await ask(client, "GET_METRICS", {"window": 3600})
    jsonschema.validate(recent, schema)
    assert recent["window"]["seconds"] == recent["uptime_seconds"]
    assert recent["window"]["counters"]["events.processed"]["increase"] == 1
    for kind, series in document["metrics"].items():
        assert list(recent["window"][kind]) == list(series), kind
    assert "window" not in document
    assert "window" not in (await ask(client, "GET_METRICS", {"window": None}))[1]
    for window in WRONG_WINDOWS:
        assert "window" in await refused(client, "GET_METRICS", {"window": window}), window


async def test_metrics_are_the_document_of_astshm_cat():
    schema = json.loads(tools.schema.read_text(encoding="utf-8"))
    with Server("metrics", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            await rename(server, client, 0, "one")
            server.settle(1)
            kind, document = await ask(client, "GET_METRICS")
            assert kind == "METRICS"
            jsonschema.validate(document, schema)
            outside = server.document()
            assert list(document) == list(outside)
            assert document["families"] == outside["families"]
            assert of_traffic(counters(document)) == of_traffic(counters(outside))
            for kind, series in outside["metrics"].items():
                assert list(document["metrics"][kind]) == list(series), kind
            for key in ("name", "pid", "state", "generation", "enabled"):
                assert document["segment"][key] == outside["segment"][key], key
            assert document["segment"]["pid"] == server.process.pid
            await check_window(client, document, schema)


async def test_summary_is_the_document_of_astshm_cat():
    with Server("summary", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            await rename(server, client, 0, "one")
            server.settle(1)
            kind, summary = await ask(client, "GET_METRICS_SUMMARY")
            assert kind == "METRICS_SUMMARY"
            outside = printed("summary", server.name)
            for key in ("timestamp", "uptime_seconds"):
                assert type(summary.pop(key)) is type(outside.pop(key)), key
            assert summary == outside
            _, recent = await ask(client, "GET_METRICS_SUMMARY", {"window": 60.5})
            assert list(recent)[2] == "window_seconds" and recent["window_seconds"] > 0
            assert recent["event_processing"]["total_processed"] == 1
            for window in WRONG_WINDOWS:
                assert "window" in await refused(client, "GET_METRICS_SUMMARY",
                                                 {"window": window}), window


async def test_without_metrics_all_else_goes_on():
    with Server("off", "--no-metrics", "--control", websocket=True, metrics=False) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            await rename(server, client, 0, "one")
            for kind in ("GET_METRICS", "GET_METRICS_SUMMARY", "RESET_METRICS",
                         "RESET_COUNTERS", "SET_METRICS_ENABLED"):
                assert await refused(client, kind) == "metrics are off", kind
            assert (await ask(client, "GET_PROJECT_INFO"))[1]["track_names"][0] == "one"


# --- the tree -----------------------------------------------------------------------

def of_type(node, node_type):
    found = [node] if node["node_type"] == node_type else []
    return found + [each for child in node["children"] for each in of_type(child, node_type)]


async def test_project_info_is_what_info_prints():
    with Server("info", websocket=True) as server:
        async with websocket.connect(server) as client:
            tree = await welcomed(client)
            kind, info = await ask(client, "GET_PROJECT_INFO", {})
            shown = json.loads(harness.run("--info", str(small_set())).stdout)
            assert kind == "PROJECT_INFO" and list(info) == list(shown)
            assert info.pop("root_hash") == tree["hash"]
            del shown["root_hash"]  # of ids drawn anew
            assert info == shown


async def nodes(client, **payload):
    kind, found = await ask(client, "FIND_NODES", payload)
    assert kind == "NODES", (kind, found)
    return list(map(without_hashes, found))


async def test_nodes_are_found_by_type_and_by_query():
    with Server("find", websocket=True) as server:
        async with websocket.connect(server) as client:
            tree = without_hashes(await welcomed(client))
            for node_type in ("project", "track", "device", "scene", "clip_slot", "mixer"):
                assert await nodes(client, node_type=node_type) == of_type(tree, node_type)
            for node_type in ("automation", "no such type", ""):
                assert await nodes(client, node_type=node_type) == []
            scene = of_type(tree, "scene")[1]
            assert await nodes(client, query='name == "Scene 1"') == [scene]
            assert await nodes(client, query="name > 1") == []
            document = server.document()
            assert sample_count(document, "operation.find_nodes") == 11
            for payload in ({"node_type": "track", "query": "name == x"}, {}, None,
                            {"node_type": 1}, {"query": ["name"]}):
                assert "FIND_NODES needs" in await refused(client, "FIND_NODES", payload)


async def test_node_is_found_by_id():
    with Server("node", websocket=True) as server:
        async with websocket.connect(server) as client:
            tree = await welcomed(client)
            for node in (tree, *tree["children"]):
                assert await ask(client, "GET_NODE", {"id": node["id"]}) == ("NODE", node)
            assert await ask(client, "GET_NODE", {"id": "track_99"}) == ("NODE", None)
            for payload in ({}, {"id": 7}, {"id": None}):
                assert "GET_NODE needs" in await refused(client, "GET_NODE", payload)


async def test_before_a_load_clients_are_told_so():
    with Server("unloaded", websocket=True, loaded=False) as server:
        async with websocket.connect(server) as client:
            assert await expect(client, "ERROR") == {
                "error": "No AST loaded", "details": "The server has not loaded an AST yet. "
                                                     "Please load a project."}
            for kind, payload in (("GET_PROJECT_INFO", None), ("GET_NODE", {"id": "project"}),
                                  ("FIND_NODES", {"node_type": "track"})):
                assert await refused(client, kind, payload, "No project loaded") == ""
            server.send(osc.event(0, "/live/track/renamed", 0, "nobody"))
            server.send(osc.event(1, "/live/cursor/scene", 4))
            assert (await expect(client, "live_event"))["args"] == [4]
            kind, document = await ask(client, "GET_METRICS")
            assert kind == "METRICS"
            assert counters(document)["events.ignored.no_ast"] == 1
            assert counters(document)["events.received"] == 1
            await nothing_more(client)


# --- the envelope --------------------------------------------------------------------

async def test_request_id_keeps_its_type():
    with Server("ids", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            for given in ("r1", "", 7, -1, 2 ** 53, 0, 1.5, 0.0, True, False, None, [], [0], {},
                          {"a": [1, None]}, "Größe \"q\" \\ \n \0 🎛"):
                await say(client, {"type": "GET_NODE", "request_id": given,
                                   "payload": {"id": "none"}})
                told = {"request_id": given} if given else {}
                ack = await expect(client, "ACK")
                assert ack == {"status": "ok", **told}, (given, ack)
                if given:
                    assert type(ack["request_id"]) is type(given), ack
                assert await receive(client) == {"type": "NODE", **told, "payload": None}


async def test_unknown_types_get_the_ack_alone():
    with Server("unknown", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            for message in ({}, {"type": "PING"}, {"type": "get_metrics"}, {"type": 7},
                            {"type": None}, {"type": "FULL_AST", "payload": 3}):
                await say(client, message)
                assert await expect(client, "ACK") == {"status": "ok"}
            await say(client, json.dumps({"type": "PING", "request_id": 3}).encode())
            assert await expect(client, "ACK") == {"status": "ok", "request_id": 3}
            await nothing_more(client)
            assert server.counters()["errors.client_message"] == 0


async def test_payload_must_be_an_object():
    with Server("payload", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            bad = ([], "x", 5, True, 0, "", False)
            for payload in bad:
                assert "payload" in await refused(client, "GET_METRICS", payload)
            assert (await ask(client, "GET_PROJECT_INFO", {}))[0] == "PROJECT_INFO"
            await say(client, '{"type":"GET_PROJECT_INFO","payload":null}')
            await expect(client, "ACK")
            await expect(client, "PROJECT_INFO")
            assert server.counters()["errors.client_message"] == len(bad)


# --- control -------------------------------------------------------------------------

CONTROL = (("RESET_METRICS", None), ("RESET_COUNTERS", None),
           ("SET_METRICS_ENABLED", {"enabled": False}))


async def test_control_is_closed_by_default():
    with Server("closed", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            await rename(server, client, 0, "one")
            for kind, payload in CONTROL:
                assert "--control" in await refused(client, kind, payload)
            document = server.document()
            assert document["segment"]["enabled"] is True
            assert counters(document)["events.processed"] == 1
            assert counters(document)["errors.client_message"] == len(CONTROL)


async def test_control_resets():
    with Server("resets", "--control", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            await rename(server, client, 0, "one")
            server.settle(1)
            assert await ask(client, "RESET_COUNTERS") == ("CONTROL", {"status": "ok"})
            document = server.document()
            assert counters(document)["events.processed"] == 0
            assert sample_count(document, "event.processing.duration") == 1
            await rename(server, client, 1, "two")
            server.sent = 0
            server.settle(2)
            assert server.counters()["events.processed"] == 1
            assert await ask(client, "RESET_METRICS") == ("CONTROL", {"status": "ok"})
            document = server.document()
            assert counters(document)["events.processed"] == 0
            assert sample_count(document, "event.processing.duration") == 0
            gauges = document["metrics"]["gauges"]
            assert gauges["websocket.clients"]["current"] == 1  # a state, not a sum
            assert gauges["ast.nodes[node_type=track]"]["current"] == 4
            build, = (gauges[key] for key in gauges if key.startswith("astshm.build_info["))
            assert build["current"] == 1
            await rename(server, client, 2, "three")
            server.sent = 0
            server.settle(1)
            assert server.counters()["events.processed"] == 1


async def test_control_switches_recording():
    with Server("switch", "--control", websocket=True) as server:
        async with websocket.connect(server) as client:
            await welcomed(client)
            await rename(server, client, 0, "one")
            assert await ask(client, "SET_METRICS_ENABLED", {"enabled": False}) == \
                ("CONTROL", {"status": "ok"})
            before = server.document()
            assert before["segment"]["enabled"] is False
            await rename(server, client, 1, "two")
            after = server.document()
            assert of_traffic(counters(after)) == of_traffic(counters(before))
            assert counters(after)["events.processed"] == 1
            for payload in (None, {}, {"enabled": 0}, {"enabled": "true"}):
                details = await refused(client, "SET_METRICS_ENABLED", payload)
                assert "true or false" in details
            assert (await ask(client, "SET_METRICS_ENABLED", {"enabled": True}))[0] == "CONTROL"
            await rename(server, client, 2, "three")
            document = server.document()
            assert counters(document)["events.processed"] == 2
            assert document["segment"]["enabled"] is True


# --- the summary of a busy server ------------------------------------------------------

BUSY = 300  # events that change something
GAP, FAILING, BROKEN, CURSOR = 7, 4, 3, 5


def busy_events():
    """The last one is behind a gap."""
    events = [("/live/track/volume", number % 2, number / 8) for number in range(BUSY - 1)]
    events += [("/live/track/renamed", "no number", "x")] * FAILING
    events += [("/live/cursor/scene", number) for number in range(CURSOR)]
    events += [("/live/track/color", 0, 255), ("/live/track/mute", 99, True),
               ("/live/track/mute", 0)]
    return [*enumerate(events), (len(events) + GAP, ("/live/track/volume", 0, 0.5))]


async def drain(client, count):
    """Reads so many broadcasts."""
    kinds = [(await receive(client))["type"] for _ in range(count)]
    return {kind: kinds.count(kind) for kind in kinds}


def check_sections(summary, document, sent):
    values, timing = counters(document), document["metrics"]["timings"]
    assert summary["event_processing"]["total_processed"] == BUSY
    latency = summary["event_processing"]["latency_ms"]
    assert list(latency) == ["p50", "p95", "p99"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]
    for key, value in latency.items():
        assert abs(value - 1000 * timing["event.processing.duration"][key]) < 1e-5, key
    assert summary["udp_listener"] == {"packets_received": sent, "packets_dropped": GAP}
    assert summary["websocket"] == {"clients_connected": 2,
                                    "broadcasts_sent": 1 + BUSY + FAILING + CURSOR + 1}
    # Two tracks are looked up in the tree once; and track 99 each time.
    lookups = BUSY + 1
    assert (values["cache.hit"], values["cache.miss"]) == (lookups - 3, 3)
    rate = 100 * (lookups - 3) / lookups
    assert abs(summary["cache"]["hit_rate_percent"] - rate) < 0.1, summary["cache"]
    assert {key: value for key, value in summary["errors"].items() if value} == {
        "errors.event_processing": FAILING, "errors.client_message": 2, "errors.reload": 1}


async def test_summary_of_a_busy_server_is_true():
    path = shutil.copy(small_set(), pathlib.Path(workplace.name) / "busy.als")
    with Server("busy", websocket=True, loaded=path) as server:
        async with websocket.connect(server) as one, websocket.connect(server) as two:
            for client in (one, two):
                await welcomed(client)
            for number, event in busy_events():
                server.send(osc.event(number, *event))
            for _ in range(BROKEN):
                server.send(b"/no message")
            path.write_bytes(b"garbage")
            told = {"DIFF_UPDATE": BUSY, "ERROR": FAILING + 1, "live_event": CURSOR}
            for client in (one, two):
                assert await drain(client, sum(told.values())) == told
                await say(client, "no JSON")
                assert (await expect(client, "ERROR"))["error"] == "Invalid JSON"
            server.settle(BUSY + FAILING + 3)
            document = server.document()
            check_sections(printed("summary", server.name), document, server.sent)
            check_sections((await ask(one, "GET_METRICS_SUMMARY"))[1], document, server.sent)
            assert counters(document)["udp.parse.error"] == BROKEN
            assert counters(document)["udp.sequence.gap"] == 1
            harness.check_identity(document)
        _, said = server.stop()
        last = json.loads(re.search(r"final summary (\{.*\})", said)[1])
        last["websocket"]["clients_connected"] = 2  # whose goodbyes it has seen, or not
        check_sections(last, document, server.sent)


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat", "schema"))
