#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a segment as text, so that it is small and shows in a diff.

usage: segment_text.py FILE >TEXT

First line: the file's size. Then, for each 32 bytes that are not all zero, their
offset and themselves, in hexadecimal. test_formats.c reads it back.
"""
import sys

if len(sys.argv) != 2:
    sys.exit(__doc__)
with open(sys.argv[1], "rb") as file:
    image = file.read()
print(len(image))
for offset in range(0, len(image), 32):
    piece = image[offset:offset + 32]
    if any(piece):
        print(f"{offset:x} {piece.hex()}")
