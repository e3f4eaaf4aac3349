# SPDX-License-Identifier: MIT
"""What the test programs of the tools share.

A test program defines cases with @case and ends with harness.main(). It is
called as PROGRAM --cat EXE --ls EXE --fixture EXE [--top EXE] [NAME...]; as root it runs
in a mount namespace of its own, with an empty /dev/shm, so that segments of
this machine neither disturb it nor are disturbed. Each case prints one line;
exit status 1: some failed, 77: none could run.

ASTSHM_GOLDEN_UPDATE=1 writes the golden files instead of comparing with them.
"""
import argparse
import collections
import difflib
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

SHM = pathlib.Path("/dev/shm")
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
NAMESPACE_MARK = "ASTSHM_TEST_NAMESPACE"
# A program under a sanitizer or on a busy machine is slow, not wrong.
PATIENCE = 120
# Offset in struct astshm_segment_header (doc/segment.md).
HEARTBEAT = 528

cases = []


class Skip(Exception):
    """The case cannot run here; the text says why."""


class Failed(Exception):
    """A check of the case did not hold."""


def case(function):
    cases.append(function)
    return function


def check(condition, *what):
    if not condition:
        raise Failed(" ".join(str(part) for part in what) or "check failed")


def equal(got, wanted, what=""):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, wanted {wanted!r}")


def wait_until(condition, what):
    """Polls: no case may depend on how fast something happens. The looks take at most a
    third of the time: the rest is for what is waited for."""
    end = time.monotonic() + PATIENCE
    start = time.monotonic()
    while not condition():
        now = time.monotonic()
        if now > end:
            raise Failed(f"never happened: {what}")
        time.sleep(max(0.01, 2 * (now - start)))
        start = time.monotonic()


class LeakChecks:
    """LeakSanitizer takes most of a short program's time: of many runs that are alike, as
    where something is polled, it looks at the first."""

    LOOKS = 3

    def __init__(self):
        self.runs = collections.Counter()

    def environment(self, exe, arguments):
        """Runs with the same options are alike."""
        alike = (exe, *(word for word in map(str, arguments) if word.startswith("-")))
        self.runs[alike] += 1
        if self.runs[alike] <= self.LOOKS:
            return {}
        return {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


class Result:
    def __init__(self, status, out, err):
        self.status = status
        self.bytes = out
        self.err = err

    @property
    def out(self):
        return self.bytes.decode()

    def json(self):
        return json.loads(self.out)


class Fixture:
    """A running server with known values (tests/tools/fixture.c)."""

    def __init__(self, exe, name, *arguments):
        self.name = name
        self.process = subprocess.Popen(
            [exe, name, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.expect("ready")

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            raise Failed(f"fixture said {line!r} instead of {word!r}")

    def ask(self, word):
        self.begin(word)
        self.expect(word)

    def begin(self, word):
        """Does not wait for the answer."""
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def kill(self):
        self.process.kill()
        self.end()

    def close(self):
        self.process.stdin.close()
        self.end()

    def end(self):
        self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass

    @property
    def path(self):
        return SHM / f"astshm.{self.name}"

    def beat_ago(self, seconds, period=1):
        """Says in the segment that the last heartbeat was then (period 0: nobody beats)."""
        with open(self.path, "r+b") as file:
            file.seek(HEARTBEAT)
            file.write(struct.pack("=QQ", time.monotonic_ns() - int(seconds * 10**9),
                                   period * 10**9))


def check_beat_told(text, seconds):
    """It tells of a heartbeat that long ago, and of what went by since on a busy machine."""
    told = re.search(r"heartbeat (?:(\d+)m)?(\d+)s ago", text)
    check(told and seconds <= 60 * int(told[1] or 0) + int(told[2]) < 3600, text)


class Case:
    """What a case works with; everything it makes is gone afterwards."""

    def __init__(self, tools, title):
        self.tools = tools
        self.title = title
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="astshm-test-"))
        self.processes = []
        self.fixtures = []
        self.at_end = []  # called where all went well
        self.leak_checks = LeakChecks()

    def name(self, suffix=""):
        return f"{self.title}{suffix}.{os.getpid()}"

    def fixture(self, suffix="", mode="", keep=False, name=None, history=False):
        """`keep`: the word itself, or what stands there in another fixture's usage."""
        word = "history" if history else "keep" if keep is True else keep
        arguments = [mode or "0640"] + ([word] if word else [])
        fixture = Fixture(self.tools.fixture, name or self.name(suffix), *arguments)
        self.fixtures.append(fixture)
        return fixture

    def run(self, exe, *arguments, stdin=None, env=None, **more):
        done = subprocess.run(
            [exe, *map(str, arguments)], input=stdin, capture_output=True, timeout=PATIENCE,
            cwd=self.folder, **more,
            env={**os.environ, **self.leak_checks.environment(exe, arguments), **(env or {})})
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def cat(self, *arguments, status=0, **more):
        result = self.run(self.tools.cat, *arguments, **more)
        self.check_status(result, status)
        return result

    def ls(self, *arguments, status=0, **more):
        result = self.run(self.tools.ls, *arguments, **more)
        self.check_status(result, status)
        return result

    @staticmethod
    def check_status(result, status):
        if result.status != status:
            raise Failed(f"exit status {result.status}, wanted {status}; stderr: {result.err!r}")
        lines = result.err.splitlines()
        # A list of segments may follow the line that says what was wrong.
        check(not status or lines, "no message")
        for line in lines[:1] if status else lines:
            check(re.match(r"astshm-(cat|ls|top): ", line), "on stderr:", result.err)
        check("runtime error" not in result.err, result.err)

    def alert(self, *arguments, status=0, **more):
        result = self.run(self.tools.alert, *arguments, **more)
        if result.status != status:
            raise Failed(f"exit status {result.status}, wanted {status}; stdout: {result.out!r} "
                         f"stderr: {result.err!r}")
        check("runtime error" not in result.err, result.err)
        return result

    def top(self, *arguments, status=0, **more):
        """astshm-top without a terminal."""
        result = self.run(self.tools.top, *arguments, **more)
        self.check_status(result, status)
        return result

    def start(self, *arguments, exe=None, **more):
        """astshm-cat (or exe) in the background; its stdout is a pipe unless told otherwise."""
        errors = tempfile.TemporaryFile("w+")
        more = {"stdout": subprocess.PIPE, "text": True, **more}
        process = subprocess.Popen([exe or self.tools.cat, *map(str, arguments)], cwd=self.folder,
                                   stderr=errors, **more)
        process.errors = errors
        self.processes.append(process)
        return process

    def background(self, command, **more):
        """Any other program; it is killed with the case."""
        process = subprocess.Popen([str(word) for word in command], cwd=self.folder,
                                   **{"stdout": subprocess.DEVNULL, **more})
        process.errors = tempfile.TemporaryFile()
        self.processes.append(process)
        return process

    @staticmethod
    def errors(process):
        """What a started process has said on stderr so far."""
        size = os.fstat(process.errors.fileno()).st_size
        return os.pread(process.errors.fileno(), size, 0).decode()

    def finish(self, process, status=0, number=None):
        """Signals it (if number), waits, checks the status; returns (out, err)."""
        if number:
            process.send_signal(number)
        # Not communicate(), which would lose what readline() has read ahead.
        out = process.stdout.read() if process.stdout else ""
        process.wait(PATIENCE)
        err = self.errors(process)
        check(process.returncode == status, "exit status", process.returncode, "wanted", status,
              "stderr:", err)
        check("runtime error" not in err, err)
        return out, err

    def save(self, fixture, name="saved.msgpack"):
        path = self.folder / name
        self.cat("-f", "msgpack", "-o", path, fixture.name)
        return path

    def golden(self, file, text, fixture):
        compare_golden(file, normalise(text, fixture))

    def tear_down(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
            process.errors.close()
        for fixture in self.fixtures:
            if fixture.process.poll() is None:
                fixture.kill()
            for path in SHM.glob(f"astshm.{fixture.name}*"):
                path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


VOLATILE = [
    (r'("timestamp": ?")[^"]*"', r'\1TIME"'),
    (r'("timestamp_ns": ?)\d+', r"\1TIME"),
    (r'("(?:uptime|heartbeat_age|interval|age)_seconds": ?)[\d.]+(?:e-\d+)?', r"\1SECONDS"),
    (r'("(?:pid|bytes|tid)": ?)\d+', r"\1N"),
    (r'("generation": ?")[0-9a-f]{16}"', r'\1GENERATION"'),
    (r'("rate": ?)[-\d.e+]+', r"\1RATE"),
]


def normalise(text, fixture):
    """Takes out what differs from run to run, and nothing else."""
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    return text.replace(fixture.name, "NAME")


def compare_golden(file, text):
    path = GOLDEN / file
    if os.environ.get("ASTSHM_GOLDEN_UPDATE"):
        path.write_text(text)
        return
    wanted = path.read_text()
    if text != wanted:
        raise Failed("differs from golden/" + file + "\n" + "".join(difflib.unified_diff(
            wanted.splitlines(True), text.splitlines(True), "wanted", "got")))


def needs_empty_machine():
    if not os.environ.get(NAMESPACE_MARK):
        raise Skip("needs a mount namespace of its own (root)")


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root, to become somebody else")


def enter_namespace():
    """Runs the program again, in a mount namespace with a fresh /dev/shm."""
    if os.environ.get(NAMESPACE_MARK) or os.geteuid() != 0 or not shutil.which("unshare"):
        return
    mount = "mount -t tmpfs -o size=256m,mode=1777 tmpfs /dev/shm"
    isolate = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
    if subprocess.run([*isolate, mount], capture_output=True).returncode != 0:
        return
    os.environ[NAMESPACE_MARK] = "1"
    os.execvp("unshare", [*isolate, mount + ' && exec "$@"', "sh", sys.executable, *sys.argv])


def run_case(function, tools):
    title = function.__name__
    context = Case(tools, title)
    try:
        function(context)
        for end in context.at_end:
            end()
        print("ok", title, flush=True)
        return "ok"
    except Skip as skip:
        print("skip", f"{title}: {skip}", flush=True)
        return "skip"
    except Exception as error:
        if not isinstance(error, Failed):
            traceback.print_exc()
        print("not ok", f"{title}: {error}", flush=True)
        return "not ok"
    finally:
        context.tear_down()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cat", required=True, type=os.path.abspath)
    parser.add_argument("--ls", required=True, type=os.path.abspath)
    parser.add_argument("--fixture", required=True, type=os.path.abspath)
    parser.add_argument("--alert", type=os.path.abspath)
    parser.add_argument("--rules", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--top", type=os.path.abspath)
    parser.add_argument("--export", type=os.path.abspath)
    parser.add_argument("--instances", type=os.path.abspath)
    parser.add_argument("--instance-count", type=int, default=1000)
    parser.add_argument("--server", type=os.path.abspath)
    parser.add_argument("--osc-send", type=os.path.abspath)
    parser.add_argument("--driver", type=os.path.abspath)
    parser.add_argument("--vandal", type=os.path.abspath)
    parser.add_argument("--count", type=int)
    parser.add_argument("--short-malloc", type=os.path.abspath)
    parser.add_argument("--man", type=pathlib.Path)
    # Of the page's tests alone.
    parser.add_argument("--export-plain", type=os.path.abspath)
    parser.add_argument("--uplot", action="store_true")
    parser.add_argument("--npm", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--shots", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("names", nargs="*")
    enter_namespace()
    tools = parser.parse_args()
    # The signals that ask for an end may be ignored by whoever started us.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    chosen = [c for c in cases if not tools.names or c.__name__ in tools.names]
    outcomes = [run_case(c, tools) for c in chosen]
    print(f"{outcomes.count('ok')} ok, {outcomes.count('skip')} skipped, "
          f"{outcomes.count('not ok')} failed")
    if "not ok" in outcomes:
        sys.exit(1)
    sys.exit(0 if "ok" in outcomes else 77)
