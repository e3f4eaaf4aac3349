# SPDX-License-Identifier: MIT
"""What was installed, in a folder of its own: packages that were unpacked (--root ROOT), or
what `meson install` leaves of a build.

The scripts of this folder are run with either: test_X.py BUILD | --root ROOT
"""
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests" / "doc"))

workplace = tempfile.TemporaryDirectory()
SECONDS = 120


def output_of(*command, status=0, **options):
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, **options)
    assert result.returncode == status, \
        f"{shlex.join(map(str, command))}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout


def staged(build):
    root = pathlib.Path(workplace.name) / "stage"
    output_of("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
    return root


ROOT = pathlib.Path(sys.argv[2]).resolve() if sys.argv[1] == "--root" else staged(sys.argv[1])


def find(pattern):
    found = sorted(ROOT.rglob(pattern))
    assert found, f"{pattern} was not installed"
    return found[0]


def programs():
    found = sorted(path for path in ROOT.rglob("bin/*") if path.is_file())
    assert len(found) >= 2, found
    return found


def environment(**more):
    """For programs that are linked with the installed libraries, and for pkg-config."""
    return {**os.environ, "PKG_CONFIG_SYSROOT_DIR": str(ROOT),
            "PKG_CONFIG_PATH": str(find("libastshm-writer.pc").parent),
            "LD_LIBRARY_PATH": str(find("libastshm-writer.so.1").parent), **more}
