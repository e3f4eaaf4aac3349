#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ast-server as people run it: real datagrams in, astshm-cat out."""
import re
import signal
import socket
import stat
import subprocess
import time

import harness
import osc
from harness import (PATIENCE, SHM, Server, by_type, check_identity, counters, run, snapshot,
                     tools, wait_until)


# --- what is counted ------------------------------------------------------

TRANSPORT = [("/live/transport/play", True), ("/live/transport/tempo", 121.5),
             ("/live/transport/position", 16.5)]


def send_transport(server, count):
    for number in range(count):
        server.send(osc.event(number, *TRANSPORT[number % 3]))
    server.settle(count)


def test_ten_thousand_events_are_counted_exactly():
    with Server("exact") as server:
        send_transport(server, 10000)
        document = server.document()
        values = counters(document)
        assert document["segment"]["state"] == "live"
        assert values["udp.packet.received"] == 10000
        assert values["events.received"] == 10000
        assert values["events.processed"] == 10000
        assert values["udp.packet.dropped"] == 0
        assert values["udp.sequence.lost"] == 0
        assert document["metrics"]["gauges"]["udp.current_sequence"]["current"] == 9999
        assert by_type(document, "events.received.by_type")["/live/transport/play"] == 3334
        assert by_type(document, "events.processed.by_type")["transport"] == 10000
        check_identity(document)


def test_killed_server_leaves_its_values():
    with Server("killed") as server:
        send_transport(server, 1000)
        server.process.kill()
        server.process.wait(PATIENCE)
        document = server.document()
        assert document["segment"]["state"] == "dead"
        assert counters(document)["events.received"] == 1000
        check_identity(document)


def test_each_way_an_event_can_end_is_counted():
    events = [
        ("/live/transport/tempo", 120.0), ("/live/scene/reordered", 3, "x"),
        ("/live/track/renamed", 0, "Bass"), ("/live/track/renamed", 0),
        ("/live/track/renamed", "abc", "x"), ("/live/track/renamed", "9", 5),
        ("/live/scene/added", 2, "Bridge"), ("/live/clip_slot/created", 9, 2, True, True, 0),
        ("/live/device/param", 0, 0, 2, 0.25), ("/live/device/parameter", 4, 0, 0, 0.125),
        ("/live/transport/metronome", 1), ("/live/transport/play",),
        ("/live/track/color", 0, 255), ("/live/clip/added", 0, 0, "x"),
        ("/live/cursor/track", 1, 16711680, "2-MIDI"), ("/live/cursor/other",),
    ]
    with Server("ways") as server:
        for number, event in enumerate(events):
            server.send(osc.event(number, *event))
        server.settle(14)
        document = server.document()
        values = counters(document)
        assert values["udp.packet.received"] == 16
        assert values["events.received"] == 14
        assert values["events.processed"] == 5
        assert values["events.ignored.no_target"] == 4
        assert values["events.ignored.invalid"] == 2
        assert values["errors.event_processing"] == 1
        assert values["events.unhandled"] == 2
        assert by_type(document, "events.unhandled.by_type") == {
            "/live/track/color": 1, "/live/clip/added": 1}
        timings = document["metrics"]["timings"]
        assert timings["event.processing.duration[event_type=device_param]"]["count"] == 2
        assert timings["event.processing.duration[event_type=transport]"]["count"] == 1
        assert timings["event.processing.duration[event_type=__other__]"]["count"] == 2
        assert not any("cursor" in key for key in timings)
        check_identity(document)


def test_sequence_of_the_recorded_dialogue_is_judged_alike():
    numbers = list(range(52)) + [40, 56, 53, 57]
    with Server("dialogue") as server:
        for number in numbers:
            server.send(osc.event(number, "/live/transport/play", True))
        for datagram in (osc.message("/live/batch/start", 1001),
                         osc.message("/live/batch/end", 1001),
                         osc.message("/live/batch/end"),
                         osc.message("/live/track/renamed", 0, "bare"),
                         bytes.fromhex("2362756e646c65000000000000000001"),
                         bytes.fromhex("2f6c6976652f736571000000"),
                         b"\0",
                         osc.string("/live/seq") + b"\0\0\0\0,ifd" + b"\0" * 16):
            server.send(datagram)
        server.settle(55)
        values = server.counters()
        assert values["udp.packet.duplicate"] == 1
        assert values["udp.sequence.gap"] == 1
        assert values["udp.sequence.lost"] == 4
        assert values["udp.packet.dropped"] == 4
        assert values["udp.packet.late"] == 1
        assert values["udp.parse.error"] == 5
        assert values["events.received"] == 55
        status, said = server.stop()
        assert status == 0
        assert ("stopped, packets received 64, processed 58, dropped 1, parse errors 5, "
                "duplicates 1, gaps 1, missing 4, late 1") in said, said


def test_restarted_sender_is_noticed_by_its_port():
    with Server("restart") as server:
        for number in range(20):
            server.send(osc.event(number, "/live/transport/play", True))
        server.settle()
        server.renew_socket()
        for number in range(20):
            server.send(osc.event(number, "/live/transport/play", True))
        server.settle(40)
        values = server.counters()
        assert values["events.processed"] == 40
        assert values["udp.packet.duplicate"] == 0
        assert values["udp.sequence.gap"] == 0


def test_numbers_wrap():
    top = 2 ** 31 - 1
    with Server("wrap") as server:
        for number in (top - 1, top, -top - 1, -top, -top + 2):
            server.send(osc.event(number, "/live/transport/play", True))
        server.settle(5)
        values = server.counters()
        assert values["events.processed"] == 5
        assert values["udp.sequence.lost"] == 1
        gauge = server.document()["metrics"]["gauges"]["udp.current_sequence"]
        assert gauge["current"] == -top + 2


def test_mutated_datagrams_do_no_harm():
    samples = [osc.event(5, "/live/track/renamed", 1, "Größe"),
               osc.event(6, "/live/device/param", 0, 1, 2, 0.5),
               osc.event(7, "/live/transport/play", True),
               osc.message("/live/batch/start", 1), osc.message("/live/seq", 1, 2)]
    start = time.monotonic()
    with Server("mutated", "--metrics-keep") as server:
        for datagram in osc.mutations(20261122, 2000, samples):
            server.send(datagram)
        server.send(b"/" * 5000)
        server.settle()
        status, said = server.stop()
        assert status == 0
        document = server.document()
        values = counters(document)
        assert values["udp.packet.received"] == server.sent
        assert values["udp.parse.error"] > 200
        check_identity(document)
        # A flood of bad datagrams must not become a flood of lines.
        lines = [line for line in said.splitlines() if line.startswith("ast-server: ")]
        assert len(lines) < 100 * harness.log_windows(start), len(lines)


def test_osc_send_and_the_segment_agree():
    with Server("osc-send", "--queue", "10000") as server:
        done = subprocess.run([tools.send, f"127.0.0.1:{server.port}", "3000", "--mix",
                               "--rate", "2000", "--first", "100"],
                              capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        sent = {path: int(count) for path, count in
                (line.split() for line in done.stdout.splitlines())}
        server.sent = sent.pop("total")
        assert server.sent == 3000 == sum(sent.values())
        server.settle(3000)
        document = server.document()
        received = by_type(document, "events.received.by_type")
        assert {path: count for path, count in received.items() if count} == sent
        values = counters(document)
        assert values["events.processed"] + values["events.unhandled"] + \
            values["events.ignored.no_target"] == 3000
        check_identity(document)


# --- starting and stopping ------------------------------------------------

def test_stop_removes_the_segment():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Server(f"stop-{number.name}") as server:
            assert server.path.exists()
            status, said = server.stop(number)
            assert status == 0
            assert "\nast-server: stopped, packets received 0" in "\n" + said, said
            assert "\nast-server: final summary {" in said, said
            assert not server.path.exists()


def test_stop_under_load_leaves_the_accounts_exact():
    with Server("load", "--metrics-keep", "--log-level", "error") as server:
        sender = subprocess.Popen([tools.send, f"127.0.0.1:{server.port}", "100000000",
                                   "--mix", "--rate", "0"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: server.counters()["events.received"] > 5000, "events")
            status, said = server.stop()
        finally:
            sender.kill()
            sender.wait(PATIENCE)
        assert status == 0
        received, processed, dropped = map(int, re.search(
            r"received (\d+), processed (\d+), dropped (\d+),", said).groups())
        document = server.document()
        values = counters(document)
        assert values["udp.packet.received"] == received == processed + dropped
        assert values["events.received"] == processed, (values, processed)
        assert values["udp.packet.dropped"] == dropped + values["udp.sequence.lost"]
        check_identity(document)
        assert document["segment"]["bytes"] <= 2 << 20, document["segment"]["bytes"]


def test_what_the_kernel_dropped_last_is_counted_without_another_datagram():
    arrived = "udp.packet.received", "udp.kernel.dropped"
    with Server("overflow", "--udp-buffer", "16384") as server:
        with server.paused():
            for number in range(500):
                server.socket.sendto(osc.event(number, "/live/transport/tempo", 120.0),
                                     (server.host, server.port))
        wait_until(lambda: sum(server.counters()[key] for key in arrived) == 500, "all 500")
        values = server.counters()
        assert values["udp.kernel.dropped"] > 0, values
        assert values["udp.sequence.lost"] == 0, values  # no number told of a gap
        status, said = server.stop()
        assert status == 0
        assert f"dropped by kernel {values['udp.kernel.dropped']}\n" in said, said


def test_metrics_keep_leaves_the_closed_segment():
    with Server("keep", "--metrics-keep") as server:
        send_transport(server, 30)
        assert server.stop()[0] == 0
        document = server.document()
        assert document["segment"]["state"] == "closed"
        assert counters(document)["events.processed"] == 30


def test_busy_metrics_name_is_a_failure():
    with Server("busy") as server:
        done = run("--udp", "127.0.0.1:0", "--no-websocket", "--metrics", server.name)
        assert done.returncode == 1
        assert str(server.process.pid) in done.stderr, done.stderr
        assert server.document()["segment"]["state"] == "live"


def test_busy_port_is_a_failure_and_leaves_no_segment():
    with Server("port") as server:
        name = server.name + ".second"
        done = run("--udp", f"127.0.0.1:{server.port}", "--no-websocket", "--metrics", name)
        assert done.returncode == 1
        assert f"127.0.0.1:{server.port}" in done.stderr
        assert not (SHM / f"astshm.{name}").exists()


def test_restart_keeps_the_dead_predecessor():
    with Server("predecessor") as first:
        send_transport(first, 9)
        first.process.kill()
        first.process.wait(PATIENCE)
        with Server("predecessor") as second:
            assert second.document()["segment"]["state"] == "live"
            old = snapshot(second.name + "~1")
            assert old["segment"]["state"] == "dead"
            assert counters(old)["events.processed"] == 9


def test_without_metrics_there_is_no_segment():
    with Server("none", "--no-metrics", metrics=False) as server:
        assert server.segment == "off"
        assert "/dev/shm/" not in server.mappings()
        assert server.stop()[0] == 0
    with Server("some") as server:
        assert "/dev/shm/" in server.mappings()


def test_other_metrics_failures_do_not_stop_the_server():
    with Server("group", "--metrics-group", "no-such-group-here") as server:
        assert server.segment == "off"
        assert any("serving without metrics" in line for line in server.lines), server.lines
        assert not server.path.exists()
        assert server.stop()[0] == 0


def test_mode_of_the_segment_is_an_option():
    with Server("mode", "--metrics-mode", "0604") as server:
        assert stat.S_IMODE(server.path.stat().st_mode) == 0o604
    with Server("default-mode") as server:
        assert stat.S_IMODE(server.path.stat().st_mode) == 0o640


def test_ipv6_loopback_is_served():
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).bind(("::1", 0))
    except OSError:
        print("  (no IPv6 loopback here)")
        return
    with Server("ipv6", address="[::1]:0") as server:
        assert server.host == "[::1]"
        server.send(osc.event(0, "/live/transport/play", True))
        server.settle(1)
        assert server.counters()["events.processed"] == 1


def test_remote_address_is_served_if_allowed_and_said_aloud():
    with Server("remote", "--allow-remote", address="0.0.0.0:0") as server:
        assert any("other machines" in line for line in server.lines), server.lines
        assert server.stop()[0] == 0


def test_misuse_is_exit_status_2():
    for arguments in (["--nonsense"], ["a.als", "b.als"], ["--udp", "nonsense"], ["--udp"],
                      ["--udp", "0.0.0.0:0"], ["--queue", "0"], ["--udp-buffer", "x"],
                      ["--metrics-mode", "9"], ["--log-level", "loud"], ["--metrics", ""]):
        done = run(*arguments)
        assert done.returncode == 2, (arguments, done)
        assert done.stdout == "" and done.stderr.startswith("ast-server: error: "), done


def test_help_and_version_go_to_stdout():
    for option in ("--help", "--version"):
        done = run(option)
        assert done.returncode == 0 and done.stderr == ""
        assert "ast-server" in done.stdout


def test_bad_text_cannot_reach_the_terminal():
    with Server("escape") as server:
        server.send(osc.message("/live/\x1b[2J\n", 1))
        server.settle()
        status, said = server.stop()
        assert status == 0
        assert "\x1b" not in said and "\\x1b[2J\\x0a" in said, said


# --- the manual -------------------------------------------------------------

def table_entries():
    text = tools.table.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r'X\((\w+), \w+, "([^"]+)", "([^"]*)",\s*"([^"]+)"\)', text)


def test_manual_lists_every_metric_with_its_help():
    manual = " ".join(tools.manual.read_text(encoding="utf-8").split())
    entries = table_entries()
    assert len(entries) > 20
    for kind, name, _, text in entries:
        assert f".It {name} Pq {kind}" in manual, name
        assert text in manual, text


if __name__ == "__main__":
    harness.main(globals(), ("server", "send", "cat", "manual", "table"))
