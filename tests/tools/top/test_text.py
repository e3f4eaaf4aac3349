#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-top without a terminal: --once, arguments, exit statuses, its page."""
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness
from harness import case, check, equal, needs_empty_machine, needs_root, wait_until

UTF8 = {"LC_ALL": "C.UTF-8"}


def once(t, *arguments, env=None, **more):
    return t.top("--once", *arguments, env={**UTF8, "COLUMNS": "", **(env or {})}, **more).out


def section(text, title):
    """label -> the last words of each line, of one section."""
    lines = text.split(f"\n{title}:", 1)[1].splitlines()[1:]
    found = {}
    for line in lines:
        if not line.startswith(" "):
            break
        label, *cells = re.split(r"  +", line.strip())
        found[label] = cells
    return found


@case
def once_prints_the_dashboard(t):
    server = t.fixture()
    text = once(t, server.name)
    check(f"Health Dashboard: {server.name}" in text, text)
    check(re.search(r"^Uptime: \d+s \(\d+\.\dmin\)$", text, re.M), text)
    check(f"Writer: pid {server.pid}, live" in text, text)
    check("Segment: 13 series, 1 threads" in text, text)
    equal(section(text, "Event Processing")["Processed"][-1], "990")
    check(section(text, "Event Processing")["Latency p95"][-1].startswith("94."), text)
    udp = section(text, "UDP Listener")
    equal((udp["Received"][-1], udp["Dropped"][-1], udp["Loss rate"][-1]), ("990", "14", "1.00%"))
    websocket = section(text, "WebSocket")
    equal((websocket["Clients"][0], websocket["Broadcasts"][-1]), ("3", "980"))
    equal(section(text, "Cache")["Hit rate"][0], "87.3%")
    errors = {label: cells[-1] for label, cells in section(text, "Errors").items()}
    equal(errors, {"Total": "3", "errors.event_processing": "2", "errors.parse": "1"})
    check(all(len(line) <= 80 and line == line.rstrip() for line in text.splitlines()), text)


@case
def tagged_series_alone_are_added_up(t):
    server = t.fixture()
    server.ask("reset")
    server.ask("tagged")
    text = once(t, server.name)
    equal(section(text, "Event Processing")["Processed"][-1], "7")
    p50 = float(section(text, "Event Processing")["Latency p50"][-1].removesuffix("ms"))
    check(abs(p50 / 20 - 1) < 0.02, "of 10, 20 and 30 ms:", p50)
    equal(section(text, "Errors")["Total"][-1], "5")


@case
def sections_without_metrics_are_told_in_a_word(t):
    server = t.fixture()
    server.ask("reset")
    server.ask("add udp.packet.received 7")
    text = once(t, server.name)
    for title in ("Event Processing", "Errors"):
        check(f"\n{title}: -\n" in text, title, text)
    equal(section(text, "UDP Listener")["Loss rate"][-1], "0.00%")
    equal(section(text, "UDP Listener")["Dropped"][-1], "-")


@case
def history_gives_a_first_column_at_once(t):
    server = t.fixture()
    server.begin("work 4000")  # whenever it is looked at, something happened in the last second

    def rate_now():
        now = section(once(t, server.name), "Event Processing")["Processed"][0]
        return now != "-" and float(now.removesuffix("/s"))

    wait_until(rate_now, "a rate, of a history that is a second long")
    plain = t.fixture("-plain", keep="plain")
    equal(section(once(t, plain.name), "Event Processing")["Processed"][0], "-")


@case
def last_values_of_a_dead_writer_are_printed(t):
    server = t.fixture()
    server.kill()
    text = once(t, server.name)
    check(f"Writer: pid {server.pid}, dead" in text, text)
    check("these are its last values" in text, text)
    equal(section(text, "Event Processing")["Processed"][-1], "990")


@case
def width_comes_from_columns_and_ascii_from_the_locale(t):
    server = t.fixture()
    narrow = once(t, server.name, env={"COLUMNS": "44"})
    check(all(len(line) <= 44 for line in narrow.splitlines()
              if not re.match("Writer|Segment| Health", line)), narrow)
    server.ask("add errors.\u00e4 1")
    check("errors.\u00e4 " in once(t, server.name), "UTF-8")
    check("errors.? " in once(t, server.name, env={"LC_ALL": "C"}), "ASCII by locale")
    check("errors.? " in once(t, "--ascii", server.name), "ASCII by option")


@case
def strangers_text_is_harmless(t):
    server = t.fixture()
    server.ask("add errors.a\u202eb 1")  # a writer takes no control characters in names
    server.ask("hostile")
    text = once(t, server.name)
    check("\u202e" not in text and "errors.a\ufffdb" in text, text)
    check("\x1b" not in text, text)


@case
def segment_is_found_as_by_the_other_tools(t):
    server = t.fixture()
    for argument in (server.name, server.pid, server.path):
        check(f"pid {server.pid}," in once(t, argument), argument)
    (t.folder / "image").write_bytes(server.path.read_bytes())
    check("dead" in once(t, "image"), "a segment's file here")


@case
def only_live_segment_needs_no_argument(t):
    needs_empty_machine()
    result = t.top("--once", status=3)
    check("--wait" in result.err, result.err)
    one = t.fixture("-one")
    check(f"pid {one.pid}," in once(t), "the only one")
    two = t.fixture("-two")
    result = t.top("--once", status=2)
    check(one.name in result.err and two.name in result.err, result.err)


@case
def exit_statuses_are_as_documented(t):
    server = t.fixture()
    t.top("--once", t.name("-absent"), status=3)
    t.top("--once", "--wait", "0.05", t.name("-absent"), status=3)
    (t.folder / "corrupt").write_bytes(b"\0" * 8192)
    t.top("--once", "./corrupt", status=6)
    image = bytearray(server.path.read_bytes())
    image[16] ^= 0x7f  # the major version
    (t.folder / "version").write_bytes(image)
    t.top("--once", "./version", status=5)
    result = t.top(server.name, status=1)
    check("--once" in result.err, "no terminal:", result.err)
    for wrong in (["--no-such"], ["-i"], ["-i", "0"], ["-i", "x"], ["--window", "0.5"], [""],
                  [server.name, server.name]):
        t.top(*wrong, status=2)


@case
def no_permission_is_told(t):
    needs_root()
    server = t.fixture()
    os.chmod(server.path, 0o600)
    result = t.top("--once", server.name, status=4, user=65534, group=65534, extra_groups=[])
    check("ermission" in result.err, result.err)


@case
def help_version_and_page_agree(t):
    told = t.top("--help").out
    check(re.match(r"astshm-top \d+\.\d+\.\d+\n$", t.top("--version").out), "version")
    page = (t.tools.man / "astshm-top.1").read_text()
    options = {name for line in page.splitlines() if line.startswith(".It Fl")
               for name in re.findall(r"Fl Fl ([a-z-]+)", line)}
    equal(set(re.findall(r"(?<![\w-])--([a-z][a-z-]*)", told)), options)
    statuses = re.findall(r"^\.It (\d)$", page, re.M)
    equal("".join(statuses), "0123456")


if __name__ == "__main__":
    harness.main()
