#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""blast.py PORT: sends the datagrams on standard input (pickled) as fast as it can.

A process of its own: a thread would wait for the interpreter of whoever reads.
"""
import pickle
import socket
import sys
import time

datagrams = pickle.load(sys.stdin.buffer)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(("127.0.0.1", int(sys.argv[1])))
start = time.monotonic()
for datagram in datagrams:
    sender.send(datagram)
print(f"{len(datagrams) / (time.monotonic() - start):.0f}")
