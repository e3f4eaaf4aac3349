# SPDX-License-Identifier: MIT
"""A WebSocket client that no one here wrote (python3-websockets)."""
import asyncio
import json
import socket

import websockets

from harness import PATIENCE


def connect(server, max_queue=None):
    """With a limit to its queue a client that is not read would not see a close frame."""
    return websockets.connect(server.uri, max_size=None, ping_interval=None,
                              max_queue=max_queue, open_timeout=PATIENCE,
                              close_timeout=PATIENCE)


async def receive(client):
    return json.loads(await asyncio.wait_for(client.recv(), PATIENCE))


async def expect(client, wanted):
    """The payload of the next message, which is of that type."""
    message = await receive(client)
    assert message["type"] == wanted, message
    return message["payload"]


async def welcomed(client):
    return (await expect(client, "FULL_AST"))["ast"]


async def say(client, message):
    await client.send(message if isinstance(message, (str, bytes)) else json.dumps(message))


async def ask(client, kind, payload=None, request_id=1):
    """The answer to a request, after its ACK."""
    request = {"type": kind, "request_id": request_id}
    await say(client, request if payload is None else {**request, "payload": payload})
    assert await expect(client, "ACK") == {"status": "ok", "request_id": request_id}
    answer = await receive(client)
    assert answer["request_id"] == request_id, answer
    return answer["type"], answer["payload"]


async def nothing_more(client):
    """What comes next is the answer to what is asked now."""
    await say(client, {"request_id": "nothing more"})
    payload = await expect(client, "ACK")
    assert payload == {"status": "ok", "request_id": "nothing more"}, payload


async def eventually(condition, what):
    """Waits while other tasks go on; the condition may take long, see wait_until()."""
    now = asyncio.get_running_loop().time
    end, start = now() + PATIENCE, now()
    while not await asyncio.to_thread(condition):
        assert now() < end, f"never happened: {what}"
        await asyncio.sleep(max(0.005, 2 * (now() - start)))
        start = now()


def without_hashes(node):
    """A node and what is below it, as it can be compared with another's."""
    return {"node_type": node["node_type"], "id": node["id"], "attributes": node["attributes"],
            "children": [without_hashes(child) for child in node.get("children", ())]}


UPGRADE = ("GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def stalled(server):
    """A client's socket that never reads again after its handshake."""
    host, port = server.uri.removeprefix("ws://").rstrip("/").split(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(PATIENCE)
    connection.connect((host, int(port)))
    connection.sendall(UPGRADE.format(host=f"{host}:{port}").encode())
    assert connection.recv(12) == b"HTTP/1.1 101", "no upgrade"
    return connection
