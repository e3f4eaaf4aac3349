#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every example runs and prints what its metrics really are.

usage: test_examples.py BUILD_FOLDER SOURCE_FOLDER [--server]    (it was built)
"""
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

import cases

BUILD, SOURCE = sys.argv[1:3]
CAT = os.path.join(BUILD, "tools", "astshm-cat")
EXPORT = os.path.join(BUILD, "tools", "astshm-export")
DEADLINE_SECONDS = 60


def example(name):
    return os.path.join(BUILD, "examples", name)


def segment(case):
    return f"examples-{os.getpid()}-{case}"


def output(command, status=0, **options):
    result = subprocess.run(command, capture_output=True, text=True,
                            timeout=DEADLINE_SECONDS, **options)
    assert result.returncode == status, (command, result.returncode, result.stderr)
    return result.stdout


@contextlib.contextmanager
def running(program, name, *arguments):
    """A program that serves the segment; its file goes when it was killed."""
    process = subprocess.Popen([example(program), name, *arguments],
                               stdout=subprocess.DEVNULL)
    try:
        output([CAT, "--wait", "30", "-f", "json", name])
        yield
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"/dev/shm/astshm.{name}")


def until(what, *arguments):
    """Calls until it is true; timing is never asserted, only that it comes."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not (result := what(*arguments)):
        assert time.monotonic() < end, "the deadline passed"
        time.sleep(0.05)
    return result


def answer(status, *command):
    """What it prints where it ends with that status, which it may not yet."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    return result.returncode == status and result.stdout


def shown(pattern, *command):
    """What it prints if that is there. A program whose metrics were just reset has none."""
    text = output(command)
    return re.search(pattern, text) and text


def number(pattern, text):
    match = re.search(pattern, text, re.M)
    assert match, (pattern, text)
    return float(match[1])


def test_reader_sees_the_writers_counts_grow():
    name = segment("writer")

    def counted():
        text = output([example("reader"), name])
        found = re.search(r"^jobs\[odd=yes\] (\d+)$", text, re.M)
        return found and int(found[1])

    with running("writer", name):
        first = until(counted)
        until(lambda: counted() > first)


def test_msgpack_consumers_decode_the_stream():
    name = segment("msgpack")
    consumers = [[example("msgpack-consumer")],
                 ["/usr/bin/python3", os.path.join(SOURCE, "examples", "msgpack-consumer.py")]]
    with running("writer", name):
        until(lambda: "jobs[odd=yes]" in output([example("reader"), name]))
        stream = subprocess.run([CAT, "-f", "msgpack", "-w", "0.05", "-n", "3", name],
                                capture_output=True, timeout=DEADLINE_SECONDS).stdout
    for consumer in consumers:
        text = subprocess.run(consumer, input=stream, capture_output=True,
                              timeout=DEADLINE_SECONDS, check=True).stdout.decode()
        assert text.count("timestamp_ns ") == 3, text
        assert len(re.findall(r"^jobs\[odd=yes\] value=\d+$", text, re.M)) == 3, text
        assert len(re.findall(r"^work count=\d+ .*p95=[\d.e-]+$", text, re.M)) == 3, text


def test_msgpack_consumer_refuses_what_is_no_snapshot():
    for garbage in (b"\xc1", b"\x81\xa6schema\xa1x"):
        result = subprocess.run([example("msgpack-consumer")], input=garbage,
                                capture_output=True, timeout=DEADLINE_SECONDS)
        assert result.returncode == 1, garbage


@contextlib.contextmanager
def background(*command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def check_feed_collector():
    name = segment("feed")
    with tempfile.TemporaryDirectory() as folder, running("writer", name):
        until(shown, r"jobs\[odd=yes\]", example("reader"), name)
        address = f"unix:{folder}/socket"
        collector = ["/usr/bin/python3", os.path.join(SOURCE, "examples", "feed-collector.py")]
        feed = [EXPORT, "--listen", "none", "--stream-interval", "0.05", "--stream", address]
        with (background(*collector, folder, address, stdout=subprocess.PIPE, text=True) as kept,
              background(*feed, name, stderr=subprocess.DEVNULL)):
            lines = [kept.stdout.readline() for _ in range(3)]
        assert [line.split()[:3] for line in lines] == [["local", name, "live"]] * 3, lines
        saved = [os.path.join(folder, file) for file in os.listdir(folder)
                 if file.endswith(".msgpack")]
        assert len(saved) == 1, saved
        merged = json.loads(output([CAT, "--merge", "-f", "json", *saved]))
        assert merged["metrics"]["counters"]["jobs[odd=yes]"]["value"] > 0, merged
        with (background(*collector, folder, address + "2", stderr=subprocess.PIPE) as collects,
              socket.socket(socket.AF_UNIX) as client):
            until(lambda: client.connect_ex(f"{folder}/socket2") == 0)
            client.sendall(b"GET / HTTP/1.1\r\n\r\n" + b"x" * 100)
            client.shutdown(socket.SHUT_WR)
            assert b"not a feed" in collects.stderr.readline()


if os.path.exists(EXPORT):
    test_feed_collector_keeps_what_can_be_merged = check_feed_collector


def test_example_1_prints_the_summary_of_its_events():
    text = output([example("example-1-basic-monitoring"), segment("1")])
    assert "Processed 100 events\n" in text
    assert number(r"p95 latency: ([\d.]+) ms", text) > 0
    summary = json.loads(text.splitlines()[-1])
    assert summary["event_processing"]["total_processed"] == 100
    latency = summary["event_processing"]["latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]


def test_example_2_counts_success_and_failure():
    text = output([example("example-2-handler-metrics"), segment("2")])
    assert "success 60 failure 10\n" in text
    assert "operation: 70 times" in text
    assert "peak 12" in text


LIVE_SET = """<Ableton><LiveSet><Tracks>
<MidiTrack><Color Value="3"/></MidiTrack><AudioTrack><Color Value="4"/></AudioTrack>
</Tracks></LiveSet></Ableton>"""


def check_server_handler():
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(LIVE_SET)
        file.flush()
        text = output([example("server-handler"), file.name, segment("handler")])
    messages = [line.partition(": ")[2] for line in text.splitlines()
                if line.startswith("to clients: ")]
    assert messages[0].startswith('{"type":"FULL_AST"')
    changes = [json.loads(message)["payload"]["diff"]["changes"][0]
               for message in (messages[1], messages[2], messages[4])]
    assert [(change["node_id"], change["old_value"], change["new_value"])
            for change in changes] == [("track_0", 3, 0xff0000), ("track_1", 4, 0xff0000),
                                       ("track_0", 0xff0000, 0)]
    assert json.loads(messages[3])["payload"]["error"] == "Event processing error"
    assert len(messages) == 5
    assert "set 3 unchanged 1\n" in text
    assert number(r"duration: 5 times, mean (\d+) ns", text) > 0
    summary = json.loads(text.splitlines()[-1])
    assert summary["event_processing"]["total_processed"] == 4
    assert summary["errors"]["errors.event_processing"] == 1


if "--server" in sys.argv[3:]:
    test_server_handler_counts_and_tells_colors = check_server_handler


def test_example_3_profiles_each_operation():
    text = output([example("example-3-profiling"), segment("3")])
    for operation in ("load_project", "find_tracks", "compute_diff"):
        mean = number(rf"operation.{operation}: 50 times, mean ([\d.]+) us", text)
        p95 = number(rf"operation.{operation}: .*p95: ([\d.]+) us", text)
        assert mean > 0 and p95 > 0


def test_example_4_starts_afresh_and_counts_up():
    for seconds in ("0.5", "5", "30"):  # without a processor for nearly as long it tells nothing
        text = output([example("example-4-over-time"), segment("4"), seconds, "0.1"])
        if "Processed" in text:
            break
    processed = [int(count) for count in re.findall(r"Processed: (\d+)", text)]
    assert processed and processed == sorted(processed)
    summary = json.loads(text.partition("Final statistics:\n")[2])
    assert summary["event_processing"]["total_processed"] >= processed[-1]
    assert summary["uptime_seconds"] > 0


def test_example_5_lists_errors_by_type():
    text = output([example("example-5-error-tracking"), segment("5")])
    assert set(text.splitlines()) == {"errors.missing_track[error_type=ERANGE]: 2",
                                      "errors.validation[error_type=EINVAL]: 3"}


def test_example_6_knows_the_loss_rate():
    text = output([example("example-6-packet-loss"), segment("6")])
    assert "received 981 dropped 20\n" in text
    assert "Packet loss rate: 2.00 %" in text


def test_example_7_reports_health():
    text = output([example("example-7-websocket-health"), segment("7")])
    assert "Connected clients: 2 (peak 3)\n" in text
    sent = number(r"Broadcasts sent: (\d+)", text)
    failed = number(r"Broadcasts failed: (\d+)", text)
    assert sent + failed == 200 and failed > 0
    assert number(r"largest (\d+) bytes", text) > 100


def test_optional_metrics_tell_zero_from_none():
    text = output([example("optional-metrics"), segment("optional")])
    assert text.splitlines() == ["recording: test.counter is 1",
                                 "switched off: test.counter is 1",
                                 "switched on: test.counter is 2"]


def test_disabled_by_environment_there_is_no_metric():
    text = output([example("optional-metrics"), segment("disabled")],
                  env={**os.environ, "ASTSHM_DISABLE": "1"})
    assert text.splitlines() == ["disabled: no such metric", "switched off: no such metric",
                                 "switched on: no such metric"]


def test_alert_check_tells_alert_from_calm():
    name = segment("alert")
    with running("example-4-over-time", name, "60"):
        until(lambda: "event.processing.duration" in output([example("custom-export"), name]))
        assert output([example("alert-check"), name, "1e9"]) == "no alert\n"
        text = until(answer, 1, example("alert-check"), name, "1e-9")
        assert "ALERT event.processing.duration p95" in text
    output([example("alert-check"), name], status=3)


def test_custom_export_and_dashboard_show_a_living_server():
    name = segment("export")
    with running("example-4-over-time", name, "60"):
        text = until(shown, "p50 ", example("custom-export"), name)
        p50 = number(r"^event.processing.duration.p50 (\d+)", text)
        p99 = number(r"^event.processing.duration.p99 (\d+)", text)
        assert 0 < p50 <= p99
        text = until(shown, "p95 ", example("dashboard"), name, "1")
        assert f"{name}, pid " in text and ", live, up " in text
        assert number(r"p95 ([\d.]+) ms", text) > 0
        until(shown, r"Events processed +[1-9]", example("dashboard"), name, "1")


cases.main(globals())
