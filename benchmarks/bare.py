"""The barest way from a line in a file to text in a page: what the wallboard's own way is compared with.

    python -m benchmarks.bare tail FILE REDIS_URL     what is appended to the file -> Redis publish
    python -m benchmarks.bare serve PORT REDIS_URL    Redis -> server-sent events -> textContent; also 1,000 viewers

No archive, no counting, no masking, no page but one element; nothing is stored, and nothing survives anything.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import redis
import redis.asyncio

CHANNEL = "bare"
POLL_S = 0.001
PAGE = b"""<!DOCTYPE html><meta charset="utf-8"><p id="said"></p><script>
const said = document.getElementById("said");
new EventSource("/stream").onmessage = (event) => { said.textContent = event.data; };
</script>"""


def tail(path: Path, url: str) -> None:
    """Publish each line that is appended, until killed."""
    client = redis.Redis.from_url(url)
    descriptor = os.open(path, os.O_RDONLY)
    os.lseek(descriptor, 0, os.SEEK_END)
    half = b""
    while True:
        data = os.read(descriptor, 65536)
        if not data:
            time.sleep(POLL_S)
            continue
        *lines, half = (half + data).split(b"\n")
        for line in lines:
            client.publish(CHANNEL, line)


async def serve(port: int, url: str) -> None:
    """Serve the page and its stream on loopback, until killed."""
    viewers: set[asyncio.StreamWriter] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET /stream "):
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\r\n: open\n\n"
            )
            viewers.add(writer)
            await reader.read()  # nothing more comes until it goes
            viewers.discard(writer)
        else:
            kind = b"text/html" if head.startswith(b"GET / ") else b"text/plain"
            body = PAGE if kind == b"text/html" else b""
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
                % (kind, len(body), body)
            )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=2048)
    pubsub = redis.asyncio.Redis.from_url(url).pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(CHANNEL)
    async with server:
        async for message in pubsub.listen():
            event = b"data: " + message["data"] + b"\n\n"
            for writer in list(viewers):
                writer.write(event)


if __name__ == "__main__":
    if sys.argv[1] == "tail":
        tail(Path(sys.argv[2]), sys.argv[3])
    else:
        asyncio.run(serve(int(sys.argv[2]), sys.argv[3]))
