#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who connects to astshm-export and then says nothing that ends: half a minute, mostly waited."""
import socket

import harness
from exporter import Exporter
from harness import case, equal


@case
def a_request_without_an_end_is_dropped_and_keeps_nobody_out(t):
    exporter = Exporter(t, "--max-connections", "4", t.fixture().name)
    host, port = exporter.address.rsplit(":", 1)
    begun = (b"", b"\0\xff\xfe" * 100, b"GET /metrics HTTP/1.1\r\nHost:")
    held = [socket.create_connection((host, int(port)), timeout=harness.PATIENCE)
            for _ in begun]
    for client, bytes_ in zip(held, begun):
        client.sendall(bytes_)
    exporter.get("/healthz")
    for client, bytes_ in zip(held, begun):
        equal(client.recv(12), b"", f"what {bytes_} was told")
        client.close()
    exporter.get("/healthz")
    exporter.stop()


if __name__ == "__main__":
    harness.main()
