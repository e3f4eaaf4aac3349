#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ast-server's options for clients and the file, and starts that must fail."""
import contextlib
import os
import pathlib
import shutil

import client as websocket
import harness
import make_set
import osc
from client import ask, eventually, expect, nothing_more, receive, welcomed
from harness import SHM, Server, counters, run, sample_count, small_set, workplace

IN_FILE = ["Track 0", "Track 1"]  # the names of the first two tracks of small_set()


def own_copy(name):
    return pathlib.Path(shutil.copy(small_set(), pathlib.Path(workplace.name) / name))


def descriptors(server):
    """What they are of. Some are open for a moment only."""
    found = []
    for each in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(each))
    return found


def threads(server):
    folder = pathlib.Path(f"/proc/{server.process.pid}/task")
    return sorted((each / "comm").read_text().strip() for each in folder.iterdir())


def watches(server):
    return any("inotify" in each for each in descriptors(server))


async def renamed(client, old, new):
    change, = (await expect(client, "DIFF_UPDATE"))["diff"]["changes"]
    assert change["old_value"]["name"] == old, change
    assert change["new_value"]["name"] == new, change


def loads(server):
    return sample_count(server.document(), "operation.load_project")


async def takes_over(client, names):
    """Applies the next diff to the names of the tracks; whether it is of a load."""
    diff = (await expect(client, "DIFF_UPDATE"))["diff"]
    loaded = diff["changes"] == diff["modified"]  # of events these are ids
    for change in diff["changes"]:
        node, = change["path"] if loaded else [change["node_id"]]
        track = int(node.removeprefix("track_"))
        assert change["old_value"]["name"] == names[track], (names, change)
        names[track] = change["new_value"]["name"]
    return loaded


async def renamed_and_loaded(client, names, track, name):
    """In either order: a load waits for no event, whose way through the server may be long."""
    kinds = []
    for _ in range(2):
        kinds.append(await takes_over(client, names))
        assert names == IN_FILE if kinds[-1] else names[track] == name, names
    assert sorted(kinds) == [False, True], names


# --- the file --------------------------------------------------------------------------

async def test_reload_on_gap_takes_back_what_the_file_does_not_have():
    with Server("gap", "--reload-on-gap", "5", "--no-watch", websocket=True,
                loaded=own_copy("gap.als")) as server:
        assert not watches(server)
        async with websocket.connect(server) as client:
            await welcomed(client)
            server.send(osc.event(0, "/live/track/renamed", 0, "live"))
            await renamed(client, "Track 0", "live")
            server.send(osc.event(6, "/live/track/renamed", 1, "five are missing"))
            await renamed(client, "Track 1", "five are missing")
            assert loads(server) == 1
            server.send(osc.event(8, "/live/track/renamed", 1, "six"))
            names = ["live", "five are missing"]
            await renamed_and_loaded(client, names, 1, "six")
            assert loads(server) == 2
            assert server.counters()["udp.sequence.lost"] == 6
            # What was lost before the load counts no more.
            server.send(osc.event(13, "/live/track/renamed", 0, "four"))
            await renamed(client, "Track 0", "four")
            names[0] = "four"
            server.send(osc.event(16, "/live/track/renamed", 0, "two more"))
            await renamed_and_loaded(client, names, 0, "two more")
            await nothing_more(client)
            assert loads(server) == 3


async def test_a_gap_reloads_nothing_by_default():
    path = own_copy("no-gap.als")
    with Server("no-gap", websocket=True, loaded=path) as server:
        assert watches(server)
        async with websocket.connect(server) as client:
            await welcomed(client)
            server.send(osc.event(0, "/live/track/renamed", 0, "live"))
            server.send(osc.event(1000, "/live/track/renamed", 0, "later"))
            await renamed(client, "Track 0", "live")
            await renamed(client, "live", "later")
            server.settle(2)
            # The file, written anew, is the first reason to load again.
            path.write_bytes(small_set().read_bytes())
            await renamed(client, "later", "Track 0")
            assert loads(server) == 2
            assert server.counters()["udp.sequence.lost"] == 999


async def test_no_watch_leaves_changes_of_the_file_alone():
    path = own_copy("unwatched.als")
    with Server("unwatched", "--no-watch", "--reload-on-gap", "0", websocket=True,
                loaded=path) as server:
        assert not watches(server)
        async with websocket.connect(server) as client:
            await welcomed(client)
            path.write_bytes(b"garbage")
            # Loaded again for another reason, two seconds later at the earliest.
            server.send(osc.event(0, "/live/track/mute", 0, False))
            server.send(osc.event(2, "/live/track/mute", 0, False))
            # It does not wait for the events.
            told = sorted([await receive(client) for _ in range(3)], key=lambda m: m["type"])
            assert [message["type"] for message in told] == ["DIFF_UPDATE"] * 2 + ["ERROR"]
            assert told[-1]["payload"]["error"] == "Reload failed"
            await nothing_more(client)
            assert server.counters()["errors.reload"] == 1


# --- the cache, the doors ---------------------------------------------------------------

async def test_cache_can_be_switched_off():
    for capacity, hits in (("0", 0), ("256", 99)):
        with Server(f"cache-{capacity}", "--cache", capacity, websocket=True) as server:
            async with websocket.connect(server) as client:
                await welcomed(client)
                for number in range(100):
                    server.send(osc.event(number, "/live/track/volume", 1, number))
                    change, = (await expect(client, "DIFF_UPDATE"))["diff"]["changes"]
                    assert (change["node_id"], change["new_value"]) == ("track_1", number)
                assert (await ask(client, "GET_NODE", {"id": "x"})) == ("NODE", None)
                values = server.counters()
                assert values["cache.hit"] == hits
                assert values["cache.miss"] == (1 if hits else 0)


def test_no_websocket_serves_no_clients():
    with Server("closed") as server:
        assert server.uri == "ws://off/"
        assert "ast-websocket" not in threads(server)
        server.send(osc.event(0, "/live/track/mute", 0, True))
        server.settle(1)
        values = server.counters()
        assert values["events.processed"] == 1
        assert values["websocket.broadcast.attempt"] == 0
    with Server("open", websocket=True) as server:
        # A thread gives itself its name.
        harness.wait_until(lambda: "ast-websocket" in threads(server), "the thread's name")


# --- starts that fail -------------------------------------------------------------------

def failed_start(case, *arguments):
    """What it says; it leaves nothing behind."""
    name = f"test-server.{os.getpid()}.{case}"
    done = run("--udp", "127.0.0.1:0", "--metrics", name, *map(str, arguments))
    assert done.returncode == 1, done
    assert done.stdout == "" and ": ready," not in done.stderr, done
    assert not list(SHM.glob(f"astshm.{name}*"))
    errors = [line for line in done.stderr.splitlines() if line.startswith("ast-server: error: ")]
    assert len(errors) == 1, done.stderr
    return errors[0]


def test_busy_websocket_port_is_a_failure():
    with Server("port", websocket=True) as server:
        address = server.uri.removeprefix("ws://").rstrip("/")
        said = failed_start("port.second", "--websocket", address)
        assert f"websocket {address}: Address already in use" in said, said


def test_file_that_cannot_be_loaded_is_a_failure():
    folder = pathlib.Path(workplace.name)
    whole = small_set().read_bytes()
    broken = {"missing.als": (None, "File not found: "),
              "garbage.als": (b"garbage", "line 1: "),
              "empty.als": (b"", "no element found"),
              "truncated.als": (whole[:len(whole) // 2], "truncated"),
              "damaged.als": (whole[:-8] + b"\0" * 8, "incorrect data check"),
              "song.mp3": (whole, "Unsupported file type: .mp3"),
              "half.xml": (make_set.gzip.decompress(whole)[:500], "line ")}
    for name, (content, reason) in broken.items():
        path = folder / name
        if content is not None:
            path.write_bytes(content)
        for doors in (["--no-websocket"], ["--websocket", "127.0.0.1:0"]):
            said = failed_start(name, *doors, path)
            assert reason.lower() in said.lower() and name in said, (name, said)


if __name__ == "__main__":
    harness.main(globals(), ("server", "cat"))
