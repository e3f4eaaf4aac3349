# SPDX-License-Identifier: MIT
"""A running astshm-export for the tests that ask it things."""
import http.client
import re
import signal
import socket
import subprocess
import tempfile
import urllib.parse

from harness import PATIENCE, Failed, check, equal, wait_until

# With its end: stderr is written in pieces, and half a port number is another one.
SERVING = re.compile(r"^astshm-export: serving (\S+://|on )(.*)\n", re.M)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.read()

    @property
    def text(self):
        return self.bytes.decode()

    @property
    def type(self):
        return self.headers["Content-Type"]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Exporter:
    """Started with `arguments`; must end without complaint, which stop() checks."""

    def __init__(self, case, *arguments, listen="127.0.0.1:0", context=None, descriptors=None):
        self.case, self.context = case, context
        self.errors = tempfile.TemporaryFile("w+")
        limit = ["prlimit", f"--nofile={descriptors}"] if descriptors else []
        self.process = subprocess.Popen(
            [*limit, case.tools.export, "--listen", listen, *map(str, arguments)], cwd=case.folder,
            stdout=subprocess.DEVNULL, stderr=self.errors)
        self.process.errors = self.errors
        case.processes.append(self.process)
        wait_until(lambda: SERVING.search(self.said()) or self.process.poll() is not None,
                   "serving")
        found = SERVING.search(self.said())
        if not found:
            raise Failed(f"did not start: {self.said()}")
        self.scheme, self.address = found[1], found[2]
        case.at_end.append(self.end)

    def said(self):
        return self.case.errors(self.process)

    def connection(self):
        if self.scheme == "on ":
            return UnixConnection(self.address.removeprefix("unix:"))
        if self.scheme == "https://":
            return http.client.HTTPSConnection(self.address, timeout=PATIENCE,
                                               context=self.context)
        return http.client.HTTPConnection(self.address, timeout=PATIENCE)

    def get(self, path, status=200, method="GET", body=None, **headers):
        """Header names with _ for -."""
        connection = self.connection()
        try:
            connection.request(method, urllib.parse.quote(path, "/?=&%"), body,
                               {name.replace("_", "-"): text for name, text in headers.items()})
            reply = Reply(connection.getresponse())
        finally:
            connection.close()
        equal(reply.status, status, f"status of {path} ({reply.bytes[:200]!r})")
        check(reply.bytes or method == "HEAD", path, "gave", status, "with nothing")
        return reply

    def end(self):
        """A process that is killed tells no leak."""
        if self.process.poll() is None:
            self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(PATIENCE), 0, f"exit status ({self.said()})")
        check("runtime error" not in self.said(), self.said())
        return self.said()


def samples(text):
    """What stands in front of each value: {"name{labels}": value}."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {key: float(value) for key, value in (line.rsplit(" ", 1) for line in lines)}
