"""Peers of the soak as programs of their own: an echoing gateway, and many clients that check.

  python3 -m support.soak_peers gateway [ADDRESS]
  python3 -m support.soak_peers clients PORT CA HOST TARGET WEBSOCKETS REST SECONDS [PERIOD]

The clients read their token from stdin, and end with it where SECONDS is 0. PERIOD (1): seconds
between two messages of a WebSocket. Both speak in JSON lines on stdout.
"""

import asyncio
import json
import os
import ssl
import struct
import sys

from . import frames

REST_PERIOD_SECONDS = 0.5  # between two requests of a REST client
ANSWER_SECONDS = 30  # a sanitized proxy under full load may be slow, never silent
CONNECTS_AT_ONCE = 50


def say(**fields):
    print(json.dumps(fields), flush=True)


async def read_frame(reader):
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        size = struct.unpack(">H", await reader.readexactly(2))[0]
    mask = await reader.readexactly(4) if second & 0x80 else None
    payload = await reader.readexactly(size)
    return first & 0x0F, frames.apply_mask(payload, mask) if mask else payload


# ---- the gateway ----


async def serve_one(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
            if fields.get("upgrade") == "websocket":
                key = head.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
                writer.write((
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                    f"{frames.accept_value(key)}\r\n\r\n").encode())
                await echo(reader, writer)
                return
            body = head.split(" ")[1].encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def echo(reader, writer):
    while True:
        opcode, payload = await read_frame(reader)
        writer.write(frames.encode(opcode, payload))
        if opcode == frames.CLOSE:
            await writer.drain()
            return


async def gateway(address="127.0.0.1"):
    server = await asyncio.start_server(serve_one, address, 0, backlog=2048)
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


# ---- the clients ----


class Crowd:
    def __init__(self, port, ca, host, target, token, period):
        self.port, self.host, self.target, self.token = port, host, target, token
        self.period = period
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.load_verify_locations(ca)
        self.context.check_hostname = False
        self.turnstile = asyncio.Semaphore(CONNECTS_AT_ONCE)
        self.messages = self.requests = 0
        self.errors = []
        self.open = 0
        self.all_open = asyncio.Event()
        self.stop = asyncio.Event()

    async def connect(self):
        async with self.turnstile:
            return await asyncio.wait_for(asyncio.open_connection(
                "127.0.0.1", self.port, ssl=self.context, server_hostname=self.host), 60)

    def request(self, target, *fields):
        lines = [f"GET {target} HTTP/1.1", f"Host: {self.host}",
                 f"Authorization: token {self.token}", *fields]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def opened(self, total):
        self.open += 1
        if self.open == total:
            self.all_open.set()

    async def pause(self, seconds):
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except asyncio.TimeoutError:
            pass

    async def websocket(self, number, total):
        reader, writer = await self.connect()
        key = frames.new_key()
        writer.write(self.request(
            self.target, "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13"))
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 90)).decode()
        assert head.startswith("HTTP/1.1 101 ") and frames.accept_value(key) in head, head
        self.opened(total)
        sequence = 0
        await self.pause(self.period * (number % 97) / 97)
        while not self.stop.is_set():
            payload = b"%06d %06d " % (number, sequence) + os.urandom(sequence % 400)
            writer.write(frames.encode(frames.BINARY, payload, mask=os.urandom(4)))
            got = await asyncio.wait_for(read_frame(reader), ANSWER_SECONDS)
            assert got == (frames.BINARY, payload), f"websocket {number}: another message came back"
            self.messages += 1
            sequence += 1
            await self.pause(self.period)
        writer.write(frames.encode(frames.CLOSE, frames.close_payload(1000), mask=b"\1\2\3\4"))
        opcode, payload = await asyncio.wait_for(read_frame(reader), ANSWER_SECONDS)
        assert opcode == frames.CLOSE and payload[:2] == b"\x03\xe8", (opcode, payload)
        writer.close()

    async def rest(self, number, total):
        reader, writer = await self.connect()
        self.opened(total)
        sequence = 0
        while not self.stop.is_set():
            target = f"/kernelspecs/k{number}/{sequence}.png"
            writer.write(self.request(target))
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_SECONDS)).decode()
            assert head.startswith("HTTP/1.1 200 "), head
            length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
            body = await asyncio.wait_for(reader.readexactly(length), ANSWER_SECONDS)
            assert body == target.encode(), f"rest {number}: {body} is another answer"
            self.requests += 1
            sequence += 1
            await self.pause(REST_PERIOD_SECONDS)
        writer.close()

    async def guard(self, work, name):
        try:
            await work
        except Exception as error:  # noqa: BLE001 - counted, whatever it is
            self.errors.append(f"{name}: {type(error).__name__}: {error}")
            self.all_open.set()


async def clients(port, ca, host, target, websockets, rest, seconds, period=1):
    crowd = Crowd(int(port), ca, host, target, sys.stdin.readline().strip(), float(period))
    total = int(websockets) + int(rest)
    tasks = [asyncio.create_task(crowd.guard(crowd.websocket(i, total), f"websocket {i}"))
             for i in range(int(websockets))]
    tasks += [asyncio.create_task(crowd.guard(crowd.rest(i, total), f"rest {i}"))
              for i in range(int(rest))]
    await asyncio.wait_for(crowd.all_open.wait(), 300)
    say(open=crowd.open)
    if float(seconds):
        await asyncio.sleep(float(seconds))
    else:
        await asyncio.to_thread(sys.stdin.read)
    crowd.stop.set()
    await asyncio.gather(*tasks)
    say(messages=crowd.messages, requests=crowd.requests, errors=crowd.errors)


if __name__ == "__main__":
    asyncio.run({"gateway": gateway, "clients": clients}[sys.argv[1]](*sys.argv[2:]))
