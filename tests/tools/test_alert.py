#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""astshm-alert beside a real server: --once as a plugin, watching, --exec."""
import json
import os
import pathlib
import re
import shutil
import signal
import threading
import time

import harness
from harness import case, check, equal, needs_empty_machine, wait_until

# The keys of a line (doc/alerts.md), but for those that only some conditions have.
KEYS = ["schema", "timestamp", "timestamp_ns", "segment", "pid", "generation", "rule",
        "condition", "severity", "state", "previous", "previous_seconds", "value", "unit",
        "threshold", "window_seconds", "message"]
OPTIONAL = {"pid", "generation", "threshold", "window_seconds"}
NUMBER = r"-?\d+(?:\.\d+)?"
TRIES = 20  # of what goes well but where a processor is taken away at a bad moment
RANGE = rf"@?(?:~|{NUMBER})?:?(?:{NUMBER})?"
PERFDATA = re.compile(rf"^'[^'=|]+'={NUMBER}(?:s|B|%)?;(?:{RANGE})?(?:;{RANGE})?$")


class Watch:
    """A started astshm-alert, and the lines it writes."""

    def __init__(self, t, server, *arguments):
        self.t = t
        name = server if isinstance(server, str) else server.name
        self.process = t.start("-i", "0.02", *arguments, name, exe=t.tools.alert)

    def next(self):
        late = threading.Timer(harness.PATIENCE, self.process.kill)
        late.start()
        line = self.process.stdout.readline()
        late.cancel()
        check(line, "no more lines; stderr:", self.t.errors(self.process))
        event = json.loads(line)
        check(list(event) == [key for key in KEYS if key in event], "keys", line)
        equal(set(KEYS) - set(event) - OPTIONAL, set(), "missing keys")
        equal(event["schema"], "astshm.alert/1", "schema")
        return event

    def expect(self, rule, state):
        """The next line about that rule; others may come in between."""
        while True:
            event = self.next()
            if event["rule"] == rule:
                equal(event["state"], state, event)
                return event

    def finish(self, status=0):
        return self.t.finish(self.process, status, signal.SIGTERM)


def first_line(result):
    return result.out.splitlines()[0]


def perfdata(result):
    """label -> (value, the rest), each checked against the plugins' grammar."""
    text = first_line(result).partition(" | ")[2]
    items = re.findall(r"'[^']*'=\S+", text)
    equal(" ".join(items), text, "performance data")
    for item in items:
        check(PERFDATA.match(item), "not performance data:", item)
    return dict(re.match(r"'(.*)'=(.*)", item).groups() for item in items)


# --- --once -----------------------------------------------------------------

@case
def once_exits_as_a_plugin_does(t):
    server = t.fixture()
    server.ask("count udp.packet.dropped 150")
    for rules, status, word in (
            (["udp.packet.dropped > 200"], 0, "OK"),
            (["udp.packet.dropped > 100"], 1, "WARNING"),
            (["udp.packet.dropped > 100 critical"], 2, "CRITICAL"),
            (["udp.packet.dropped > 100", "udp.packet.dropped >= 150 critical"], 2, "CRITICAL"),
            (["no.such > 1"], 3, "UNKNOWN"),
            (["no.such > 1", "udp.packet.dropped > 100"], 1, "WARNING"),
            (["no.such.* > 1"], 0, "OK"),
            (["udp.packet.dropped p95 > 1"], 3, "UNKNOWN")):
        arguments = [word for rule in rules for word in ("-r", rule)]
        result = t.alert("--once", *arguments, server.name, status=status)
        check(first_line(result).startswith(f"ASTSHM {word} - {server.name}: "), result.out)
        equal(len(result.out.splitlines()), 2 + len(rules), result.out)
        equal(result.err, "")


@case
def once_gives_performance_data(t):
    server = t.fixture()
    for line in ("count dropped 3", "count received 200", "set level -2.5", "observe size 2048",
                 "time work 250000000", "count odd 1"):
        server.ask(line)
    result = t.alert("--once", "-r", "a: dropped / received > 1%", "-r", "b: work max > 100ms",
                     "-r", "c: size max > 4KiB critical", "-r", "d: level < -3",
                     "-r", "e: level > -1", "-r", "f: dropped == 4", "-r", "g: dropped != 3",
                     "-r", "unfit: work max > 1MiB",
                     "-r", "odd == 7 | it's".split(" |")[0], server.name, status=1)
    equal(perfdata(result), {
        "a": "1.5%;1", "b": "0.25s;0.1", "c": "2048B;;4096", "d": "-2.5;-3:", "e": "-2.5;~:-1",
        "f": "3;@4:4", "g": "3;3:3", "odd __ 7": "1;@7:7"})
    for line in result.out.splitlines()[1:]:
        check(re.match(r"\[(ok|warning|critical|unknown)\] ", line) and "|" not in line, line)


@case
def once_tells_servers_that_are_gone(t):
    server = t.fixture()
    server.ask("count a 1")
    rule = ("-r", "a > 5")
    t.alert("--once", *rule, server.name)
    t.alert("--once", *rule, str(server.pid))
    t.alert("--once", *rule, server.path)
    server.kill()
    dead = t.alert("--once", *rule, server.name, status=2)
    check(f"pid {server.pid} is dead" in first_line(dead), dead.out)
    missing = t.alert("--once", *rule, t.name("none"), status=2)
    check("no such segment" in first_line(missing), missing.out)
    softer = t.alert("--once", *rule, "-r", "down warning", server.name, status=1)
    check("WARNING" in first_line(softer), softer.out)
    corrupt = t.folder / "corrupt"
    corrupt.write_bytes(b"x" * 8192)
    unreadable = t.alert("--once", *rule, corrupt, status=3)
    check(first_line(unreadable).startswith("ASTSHM UNKNOWN - "), unreadable.out)


@case
def wrong_usage_exits_3(t):
    server = t.fixture()
    for arguments in (["--no-such"], ["-r"], ["-r", ""], ["-r", "# none"], ["-r", "a >"],
                      ["-i", "0", "-r", "a > 1"], ["-i", "x", "-r", "a > 1"],
                      ["--exec", "", "-r", "a > 1"], ["--exec", "'a", "-r", "a > 1"],
                      ["--exec-timeout", "0", "-r", "a > 1"],
                      ["--once", "--exec", "true", "-r", "a > 1"],
                      ["--rules", "./no-such-file"], ["--rules", "/"], ["-Z"],
                      ["-r", "a > 1", server.name, server.name], ["-r", "a > 1", ""],
                      [server.name]):
        result = t.alert(*arguments, status=3)
        check(result.err.startswith("astshm-alert: "), arguments, result.err)
        equal(result.out, "", arguments)


@case
def without_segment_the_only_live_one_is_meant(t):
    needs_empty_machine()
    rule = ("--once", "-r", "a > 5")
    none = t.alert(*rule, status=3)
    check("living writer" in none.err, none.err)
    one = t.fixture("one")
    one.ask("count a 1")
    check(one.name in first_line(t.alert(*rule)), "the only one")
    t.fixture("two")
    several = t.alert(*rule, status=3)
    check("name one of these segments" in several.err and one.name in several.err, several.err)


# --- rules ------------------------------------------------------------------

@case
def errors_point_at_line_and_column(t):
    path = t.folder / "my.rules"
    path.write_text("# rules\n\nsound: a > 1\n  \xe4\xf6 p95 > 100parsec\n")
    result = t.alert("--check", "--rules", path, status=3)
    lines = result.err.splitlines()
    check(lines[0].startswith(f"astshm-alert: {path}:4:15: 'parsec' is no unit"), lines)
    equal(lines[1].index("parsec"), lines[2].index("^"), "the caret's column")
    result = t.alert("--check", "-r", "\ta >\x1b[31m 1", status=3)
    check("\x1b" not in result.err and "\t" not in result.err.splitlines()[1], result.err)
    path.write_bytes("\u009b".encode() + b" \xff # a comment may hold \xff\n")
    result = t.alert("--check", "--rules", path, status=3)
    check(":1:3: this byte is not UTF-8" in result.err, result.err)
    check("\u009b" not in result.err and "\n      ? # a comment" in result.err, result.err)
    path.write_bytes(b"a > 1 # a comment may hold \xff\n")
    t.alert("--check", "--rules", path)


@case
def rules_come_from_files_stdin_and_arguments(t):
    path = t.folder / "my.rules"
    path.write_text("a > 1 # one\r\n\n  # two\nb: b > 2 critical")
    equal(t.alert("--check", "--rules", path).out, "2 rules\n")
    equal(t.alert("--check", "-r", "a > 1").out, "1 rule\n")
    equal(t.alert("--check", "--rules", "-", "-r", "c > 1", stdin=b"d > 1\n").out, "2 rules\n")
    equal(t.alert("--check", "--rules", path, "--rules", "my.rules", status=3).out, "")
    path.write_bytes(b"a > 1\n" + b"#" * 300000)
    check("longer than" in t.alert("--check", "--rules", path, status=3).err, "size")
    path.write_bytes(b"a > 1\0\n")
    check(":1:6:" in t.alert("--check", "--rules", path, status=3).err, "NUL")


@case
def installed_rules_are_found_by_the_segments_name(t):
    server = t.fixture()
    server.ask("count a 9")
    program = pathlib.Path(t.tools.alert)
    for folder in ("bin", "share/astshm/alerts"):
        (t.folder / folder).mkdir(parents=True)
    shutil.copy(program, t.folder / "bin")
    (t.folder / f"share/astshm/alerts/{server.name}.rules").write_text("x: a > 5\n")
    environment = {"LD_LIBRARY_PATH": str(program.parent.parent / "readers")}
    moved = t.folder / "bin" / program.name
    for arguments in ([server.name], [server.path], ["--rules", server.name, server.name]):
        result = t.run(moved, "--once", *arguments, env=environment)
        equal(result.status, 1, result.err)
        check("x: a is 9" in first_line(result), result.out)


# --- watching ---------------------------------------------------------------

# Each rule of the issue, its windows shortened; what makes it fire; what ends it
# (None: time alone does).
EXAMPLES = [
    ("event.processing.duration p95 > 100ms over 1.5s for 0.05s",
     ["time event.processing.duration 200000000 100"], None),
    ("event.processing.duration p95 > 100ms over 1.5s for 0.05s until < 80ms",
     ["time event.processing.duration 200000000 100"],
     ["time event.processing.duration 1000000 9000"]),
    ("udp.packet.dropped rate > 1/s over 1.5s", ["count udp.packet.dropped 50"], None),
    ("errors.* increase > 10 over 1.5s",
     ["count errors.a 6", "tagged errors.b 6", "tagged errors.b.by_type 6"], None),
    ("udp.packet.dropped / udp.packet.received > 1%",
     ["count udp.packet.received 100", "count udp.packet.dropped 5"],
     ["count udp.packet.received 900"]),
    ("absent(events.received)", [], ["count events.received 1"]),
    ("udp.packet.dropped > 100", ["count udp.packet.dropped 101"], ["reset"]),
    ("queue[k=v] rate > 1/s over 1.5s", ["count queue 1", "tagged queue 50"], None),
    ("websocket.clients > 3", ["set websocket.clients 4"], ["set websocket.clients 3"]),
    ("cache.hit_rate < 50%", ["set cache.hit_rate 0.4"], ["set cache.hit_rate 0.6"]),
    ("message.size p50 > 1KiB over 1.5s", ["observe message.size 4096"], None),
]


class Fire:
    """Makes a rule fire; where it looks at a window, again and again: on a busy machine
    a window may be over before the watcher looks."""

    def __init__(self, server, lines, repeated):
        self.server, self.lines = server, lines
        self.seen = threading.Event()
        self.ask()
        self.thread = threading.Thread(target=self.repeat)
        if repeated:
            self.thread.start()

    def ask(self):
        for line in self.lines:
            self.server.ask(line)

    def repeat(self):
        end = time.monotonic() + harness.PATIENCE
        while not self.seen.wait(0.3) and time.monotonic() < end:
            self.ask()

    def end(self):
        self.seen.set()
        if self.thread.is_alive():
            self.thread.join()


@case
def every_example_rule_fires_and_ends(t):
    servers = [t.fixture(str(number)) for number in range(len(EXAMPLES))]
    watches = [Watch(t, server, "-r", "it: " + rule)
               for server, (rule, _, _) in zip(servers, EXAMPLES)]
    fires = [Fire(server, fire, "over" in rule)
             for server, (rule, fire, _) in zip(servers, EXAMPLES)]
    for watch, fire, (rule, _, _) in zip(watches, fires, EXAMPLES):
        event = watch.expect("it", "firing")
        fire.end()
        equal((event["condition"], event["severity"]), (rule, "warning"), event)
        check((event["value"] is None) == rule.startswith("absent"), event)
    for server, (_, _, end) in zip(servers, EXAMPLES):
        for line in end or []:
            server.ask(line)
    for watch in watches:
        watch.expect("it", "ok")
        watch.finish()


@case
def a_stopped_server_is_stale_and_comes_back(t):
    server = t.fixture()
    watch = Watch(t, server, "-r", "it: stale > 0.5s", "-r", "beats: stale <= 0.5s")
    watch.expect("beats", "firing") # stopped before its first beat it would never be stale
    os.kill(server.pid, signal.SIGSTOP)
    event = watch.expect("it", "firing")
    check(event["value"] > 0.5 and event["unit"] == "seconds", event)
    os.kill(server.pid, signal.SIGCONT)
    watch.expect("it", "ok")
    watch.finish()


@case
def a_killed_server_is_an_alert_until_it_is_back(t):
    server = t.fixture()
    server.ask("count a 9")
    watch = Watch(t, server, "-r", "it: a > 5")
    watch.expect("it", "firing")
    server.kill()
    event = watch.next() # what fires goes on firing: nothing is said of it
    equal((event["rule"], event["state"], event["severity"]), ("server", "firing", "critical"))
    check(f"pid {server.pid} is dead" in event["message"], event)
    again = t.fixture(name=server.name)
    events = [watch.next(), watch.next()]
    equal(sorted((e["rule"], e["state"]) for e in events), [("it", "ok"), ("server", "ok")])
    equal({e["pid"] for e in events}, {again.pid}, "pid")
    again.close()
    check("closed the segment" in watch.expect("server", "firing")["message"], "closed")
    watch.finish()


def restarted(t, server):
    server.kill()
    return t.fixture(name=server.name)


@case
def a_restart_between_two_looks_is_told(t):
    server = t.fixture()
    watch = Watch(t, server, "-r", "it: a > 5")
    server.ask("count a 9")
    watch.expect("it", "firing") # it has looked
    for _ in range(TRIES):
        watch.process.send_signal(signal.SIGSTOP)
        old, server = server, restarted(t, server)
        watch.process.send_signal(signal.SIGCONT)
        event = watch.expect("server", "firing")
        watch.expect("server", "ok")
        if "was replaced" in event["message"]:
            break  # stopped in the middle of a look it finds the old one dead
    check(f"pid {old.pid} was replaced by pid {server.pid}" in event["message"], event)
    watch.finish()


@case
def a_server_that_is_not_there_is_waited_for(t):
    name = t.name()
    watch = Watch(t, name, "-r", "it: a > 5")
    event = watch.expect("server", "firing")
    check("no such segment" in event["message"] and "pid" not in event, event)
    server = t.fixture(name=name)
    watch.expect("server", "ok")
    server.ask("count a 9")
    watch.expect("it", "firing")
    watch.finish()


@case
def rules_of_its_own_replace_the_one_about_the_server(t):
    server = t.fixture()
    watch = Watch(t, server, "-r", "gone: down for 0.05s warning")
    server.kill()
    event = watch.next()
    equal((event["rule"], event["severity"], event["previous"]), ("gone", "warning", "pending"))
    watch.finish()


@case
def hysteresis_keeps_an_alert_until_it_is_over(t):
    server = t.fixture()
    watch = Watch(t, server, "-r", "it: level > 100 until < 80", "-r", "mark: mark > 0")
    server.ask("set level 101")
    watch.expect("it", "firing")
    server.ask("set level 90")
    server.ask("set mark 1") # the watch has seen 90 when it has seen this
    equal(watch.next()["rule"], "mark")
    server.ask("set level 79")
    equal(watch.expect("it", "ok")["value"], 79.0)
    watch.finish()


@case
def what_strangers_name_is_escaped(t):
    server = t.fixture()
    server.ask('count we"ird\\ 9')
    watch = Watch(t, server, "-r", '"we\\"ird\\\\" > 5')
    event = watch.next()
    equal(event["rule"], '"we\\"ird\\\\" > 5')
    watch.finish()
    once = t.alert("--once", "-r", 'x: "we\\"ird\\\\" > 5', server.name, status=1)
    check('"we\\"ird\\\\" is 9' in once.out, once.out)


@case
def a_reader_that_goes_away_ends_it(t):
    server = t.fixture()
    watch = Watch(t, server, "-r", "it: a > 5")
    watch.process.stdout.close()
    server.ask("count a 9")
    equal(watch.process.wait(harness.PATIENCE), 0)
    watch.process.stdout = None


@case
def missing_metrics_are_noted_once(t):
    server = t.fixture()
    watch = Watch(t, server, "-r", "it: nothing > 5", "-r", "mark: mark > 0", "-r", "down for 1h")
    wait_until(lambda: "there is no metric nothing" in t.errors(watch.process), "the note")
    server.ask("set mark 1")
    watch.expect("mark", "firing")
    errors = watch.finish()[1]
    equal(errors.count("nothing"), 1, errors)


# --- the rules of ast-server ------------------------------------------------

HEALTHY = ["count udp.packet.received 100000", "count udp.packet.dropped 50",
           "count udp.packet.late 20", "count udp.kernel.dropped 0",
           "count errors.event_processing 10", "count websocket.queue.dropped 0",
           "count astshm.dropped 0",
           "time event.processing.duration 20000000 100", "time event.queue.wait 1000 100"]
# What makes each rule of the file fire, the document's three thresholds first.
ILL = {
    "latency": ["time event.processing.duration 150000000 100"],
    "dropped": ["count udp.packet.dropped 101"],
    "errors": ["count errors.event_processing 11"],
    "loss": ["count udp.packet.dropped 3000"],
    "kernel": ["count udp.kernel.dropped 1"],
    "clients": ["count websocket.queue.dropped 1"],
    "queue": ["time event.queue.wait 2000000000 100"],
    "room": ["count astshm.dropped 1"],
}


def fired(result):
    return set(re.findall(r"^\[(?:warning|critical)\] ([a-z]+):", result.out, re.M))


@case
def each_rule_for_ast_server_fires_alone_on_what_it_is_about(t):
    labels = set(re.findall(r"^([a-z]+):", t.tools.rules.read_text(), re.M))
    equal(labels, set(ILL) | {"stale"}, "rules without a test")
    server = t.fixture()
    for line in HEALTHY:
        server.ask(line)
    healthy = t.alert("--once", "--rules", t.tools.rules, server.name)
    check(" none of " in first_line(healthy), healthy.out)
    for label, lines in ILL.items():
        server = t.fixture(label)
        for line in HEALTHY + lines:
            server.ask(line)
        result = t.alert("--once", "--rules", t.tools.rules, server.name,
                         status=2 if label in ("errors", "queue") else 1)
        check(label in fired(result) and fired(result) <= {label, "dropped"}, label, result.out)


# --- --exec -----------------------------------------------------------------

def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


@case
def the_environment_tells_a_command_everything(t):
    server = t.fixture()
    out = t.folder / "out"
    watch = Watch(t, server, "-r", "it: a rate > 1/s over 1.5s critical",
                  # Once: soon the rule is ok again, which is told as well.
                  "--exec", f"sh -c '[ -e {out} ] || {{ env -0 >{out}.new; mv {out}.new {out}; }}'")
    fire = Fire(server, ["count a 50"], True)
    event = watch.expect("it", "firing")
    fire.end()
    wait_until(out.exists, "the command has run")
    told = dict(item.split("=", 1) for item in out.read_text().split("\0") if "=" in item)
    told = {key[13:]: value for key, value in told.items() if key.startswith("ASTSHM_ALERT_")}
    equal({key.lower() for key in told}, set(KEYS) - {"schema", "timestamp_ns", "generation"})
    for key in ("rule", "condition", "severity", "state", "previous", "segment", "unit",
                "timestamp", "message"):
        equal(told[key.upper()], event[key], key)
    equal(int(told["PID"]), server.pid)
    for key in ("value", "threshold", "window_seconds"):
        check(abs(float(told[key.upper()]) - event[key]) < 1e-6, key, told, event)
    watch.finish()


@case
def a_rules_commands_never_overlap_and_the_last_state_is_told(t):
    server = t.fixture()
    script = t.folder / "script"
    script.write_text("mkdir busy || echo TWICE >>out\n"
                      "echo $ASTSHM_ALERT_STATE >>out\n"
                      "while ! [ -e go ]; do sleep 0.01; done\n"
                      "rm go; rmdir busy\n")
    out, go = t.folder / "out", t.folder / "go"
    watch = Watch(t, server, "-r", "it: level > 5", "--exec", "sh script", "--exec-timeout", "1h")
    for level, state in ((9, "firing"), (1, "ok"), (9, "firing"), (1, "ok")):
        server.ask(f"set level {level}")
        watch.expect("it", state)
    wait_until(lambda: lines_of(out), "the first runs")
    equal(lines_of(out), ["firing"], "while the first runs")
    go.touch()
    wait_until(lambda: len(lines_of(out)) == 2, "the last change is told")
    server.ask("set level 9") # and back, while the second runs: nothing new to tell
    watch.expect("it", "firing")
    server.ask("set level 1")
    watch.expect("it", "ok")
    wait_until(lambda: not go.exists(), "the first took its go")
    go.touch()
    wait_until(lambda: not (t.folder / "busy").exists(), "the second ends")
    server.ask("set level 9")
    watch.expect("it", "firing")
    wait_until(lambda: len(lines_of(out)) == 3, "the next change is told")
    go.touch()
    watch.finish()
    equal(lines_of(out), ["firing", "ok", "firing"])


def is_gone(pid):
    """An orphan may stay a zombie for as long as its new parent likes."""
    try:
        return " Z " in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


@case
def a_command_that_takes_too_long_is_ended_with_its_children(t):
    server = t.fixture()
    out = t.folder / "out"
    script = t.folder / "script"
    script.write_text("trap '' TERM\nsleep 1000 &\necho $$ $! >out.new; mv out.new out\n"
                      "while :; do sleep 0.05; done\n")
    watch = Watch(t, server, "-r", "it: level > 5", "--exec", "sh script",
                  "--exec-timeout", "0.1")
    # Where it got no processor for that long it is ended before it says who it is.
    for level, state in ((9, "firing"), (1, "ok")) * TRIES:
        ended = t.errors(watch.process).count("took longer")
        server.ask(f"set level {level}")
        watch.expect("it", state)
        wait_until(lambda: out.exists() or t.errors(watch.process).count("took longer") > ended,
                   "the command has begun, or ended")
        if out.exists():
            break
    check(out.exists(), "ended too soon", TRIES, "times")
    for pid in map(int, out.read_text().split()):
        wait_until(lambda: is_gone(pid), "it is ended")
    wait_until(lambda: "took longer than 0.1 s" in t.errors(watch.process), "the message")
    watch.finish()


@case
def an_end_waits_for_the_command_that_runs(t):
    server = t.fixture()
    (t.folder / "script").write_text(
        "echo begun >begun\nwhile ! [ -e go ]; do sleep 0.01; done\necho done >done\n")
    watch = Watch(t, server, "-r", "it: level > 5", "--exec", "sh script", "--exec-timeout", "1h")
    server.ask("set level 9")
    watch.expect("it", "firing")
    wait_until((t.folder / "begun").exists, "the command has begun")
    watch.process.send_signal(signal.SIGINT)
    (t.folder / "go").touch()
    equal(watch.process.wait(harness.PATIENCE), 0)
    check((t.folder / "done").exists(), "the command was not waited for")


@case
def commands_that_fail_are_told_and_stdout_stays_json(t):
    server = t.fixture()
    watch = Watch(t, server, "-r", "it: level > 5", "--exec", "sh -c 'echo noise; exit 7'")
    server.ask("set level 9")
    watch.expect("it", "firing")
    wait_until(lambda: "sh exited with 7" in t.errors(watch.process), "the status")
    server.ask("set level 1")
    watch.expect("it", "ok") # the line behind is JSON as well
    out, errors = watch.finish()
    equal(out, "")
    check("noise" in errors, errors)
    watch = Watch(t, server, "-r", "it: level > 5", "--exec", "/no/such/command")
    server.ask("set level 9")
    watch.expect("it", "firing")
    wait_until(lambda: "cannot run /no/such/command" in t.errors(watch.process), "the reason")
    watch.finish()


if __name__ == "__main__":
    harness.main()
