"""Wire: a byte connection for tests. Reads have a deadline, everything received is kept."""

import select
import socket
import struct
import time

from .waiting import PATIENCE, GaveUp


class Ended(AssertionError):
    """The peer ended the connection where more bytes were due."""


class Wire:
    """A blocking socket (plain, or a TlsSocket) with a buffer.

    `received` is every byte that ever came, as it came. `ended` says how the peer's direction
    ended: "" (it did not), "close" (FIN, after close_notify if TLS), "truncated" (FIN without
    close_notify) or "reset".
    """

    def __init__(self, sock, name, keep_record=True):
        self.sock = sock
        self.name = name
        self.received = bytearray()
        self.ended = ""
        self.keep_record = keep_record  # off for bulk: the record would hold it all
        self._pending = bytearray()

    # ---- writing ----

    def send(self, data, timeout=PATIENCE):
        self.sock.settimeout(timeout)
        try:
            self.sock.sendall(data)
        except TimeoutError:
            raise GaveUp(f"{self.name}: the peer did not take {len(data)} bytes in {timeout:g} s")

    def send_to_the_end(self, data):
        """Sends data to a peer that may end the connection before it has taken it all."""
        try:
            self.send(data)
        except ConnectionError:
            pass

    def send_in_pieces(self, data, sizes):
        """Splits data into writes of the given sizes, the last size repeated to the end."""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sizes, at = list(sizes), 0
        while at < len(data):
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            self.send(data[at : at + size])
            at += size

    def half_close(self):
        """Ends our direction; theirs stays open."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends the connection by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    # ---- reading ----

    def _fill(self, deadline, what):
        """Takes one more piece into the buffer; False once the peer's direction has ended."""
        if self.ended:
            return False
        left = deadline - time.monotonic()
        if left <= 0:
            raise GaveUp(f"{self.name}: waited for {what}; have {bytes(self._pending[:300])!r}")
        self.sock.settimeout(left)
        try:
            piece = self.sock.recv(65536)
        except TimeoutError:
            raise GaveUp(f"{self.name}: waited for {what}; have {bytes(self._pending[:300])!r}")
        except ConnectionResetError:
            self.ended = "reset"
            return False
        if not piece:
            self.ended = getattr(self.sock, "end_kind", "close")
            return False
        if self.keep_record:
            self.received += piece
        self._pending += piece
        return True

    def read_exact(self, count, what, timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        while len(self._pending) < count:
            if not self._fill(deadline, what):
                got = f"{self.ended} after {len(self._pending)} of {count} bytes"
                raise Ended(f"{self.name}: {what}: {got}: {bytes(self._pending[:300])!r}")
        taken = bytes(self._pending[:count])
        del self._pending[:count]
        return taken

    def read_until(self, delimiter, what, timeout=PATIENCE):
        """Bytes up to and with the delimiter."""
        deadline = time.monotonic() + timeout
        start = 0
        while (at := self._pending.find(delimiter, start)) < 0:
            start = max(0, len(self._pending) - len(delimiter) + 1)
            if not self._fill(deadline, what):
                raise Ended(f"{self.name}: {what}: {self.ended}: {bytes(self._pending[:300])!r}")
        return self.read_exact(at + len(delimiter), what)

    def read_some(self, what, limit=65536, timeout=PATIENCE):
        """At least one byte, at most limit; b"" at the end."""
        deadline = time.monotonic() + timeout
        if not self._pending:
            self._fill(deadline, what)
        taken = bytes(self._pending[:limit])
        del self._pending[:limit]
        return taken

    def read_to_end(self, what="the end of the connection", timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        while self._fill(deadline, what):
            pass
        taken = bytes(self._pending)
        self._pending.clear()
        return taken

    def expect_end(self, kind="close", timeout=PATIENCE):
        """Not one byte more, then an end of that kind (None: any)."""
        rest = self.read_to_end(timeout=timeout)
        assert not rest, f"{self.name}: {len(rest)} bytes where the end was due: {rest[:300]!r}"
        assert kind in (None, self.ended), f"{self.name}: ended by {self.ended}, not {kind}"

    def expect_open_and_silent(self, seconds=0.1):
        """No byte and no end within that time. For promises that something does not happen."""
        assert not self._pending, f"{self.name}: unexpected {bytes(self._pending[:300])!r}"
        self.sock.settimeout(seconds)
        try:
            piece = self.sock.recv(65536)
        except TimeoutError:
            return
        raise AssertionError(f"{self.name}: not silent: {piece[:300]!r}")

    def readable(self):
        """True if bytes or an end are there now."""
        held = getattr(self.sock, "pending", lambda: False)()
        return bool(self._pending) or held or bool(select.select([self.sock], [], [], 0)[0])

    def arrived(self, seconds):
        """Waits up to that long; True once a byte to be read, or the end, has come."""
        try:
            return bool(self._pending or self._fill(time.monotonic() + seconds, "") or self.ended)
        except GaveUp:
            return False

    def fileno(self):
        return self.sock.fileno()
