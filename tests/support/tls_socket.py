"""TlsSocket: TLS of either side over memory buffers, so that tests own every byte and every end.

Unlike ssl.SSLSocket it can end its direction (close_notify) and go on reading, and it tells a
clean end from a truncated one. One thread may read while another writes.
"""

import socket
import ssl
import threading

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class TlsSocket:
    def __init__(self, sock, context, server_hostname=None, session=None, server_side=False):
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side, server_hostname, session)
        self.end_kind = "close"
        self._tls_lock = threading.Lock()  # OpenSSL's object and the memory buffers
        self._send_lock = threading.Lock()  # records leave in the order in which they were made

    def handshake(self):
        self._drive(self.tls.do_handshake)

    def _drive(self, step):
        while True:
            try:
                with self._tls_lock:
                    result = step()
                self._flush_unless_writing()
                return result
            except ssl.SSLWantReadError:
                self._flush_unless_writing()
                self._receive()
            except ssl.SSLError:
                self._flush_unless_writing()  # the alert that says why
                raise

    def flush(self):
        with self._send_lock:
            self._send_pending()

    def _send_pending(self):
        with self._tls_lock:
            data = self._outgoing.read()
        if data:
            self._sock.sendall(data)

    def _flush_unless_writing(self):
        """What reading made (alerts, key updates); a writer that is at it takes it along."""
        if self._outgoing.pending and self._send_lock.acquire(blocking=False):
            try:
                self._send_pending()
            finally:
                self._send_lock.release()

    def take_ciphertext(self):
        """The bytes that flush() would send, for tests that split or corrupt them."""
        return self._outgoing.read()

    def send_ciphertext(self, data):
        self._sock.sendall(data)

    def _receive(self):
        piece = self._sock.recv(65536)
        with self._tls_lock:
            if piece:
                self._incoming.write(piece)
            else:
                self._incoming.write_eof()

    def encrypt(self, data):
        """Puts data into records that wait for flush()."""
        view = memoryview(data)
        with self._tls_lock:
            while view:
                view = view[self.tls.write(view[:16384]) :]

    def sendall(self, data):
        view = memoryview(data)
        with self._send_lock:
            while view:
                self.encrypt(view[:262144])
                view = view[262144:]
                self._send_pending()

    def recv(self, size):
        try:
            return self._drive(lambda: self.tls.read(size))
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:  # which class it is depends on Python's patch version
            if error.reason != "UNEXPECTED_EOF_WHILE_READING" and not isinstance(
                    error, ssl.SSLEOFError):
                raise
            self.end_kind = "truncated"
            return b""

    def shutdown(self, how):
        """SHUT_WR: close_notify, then FIN. Reading goes on."""
        assert how == socket.SHUT_WR
        try:
            with self._tls_lock:
                self.tls.unwrap()
        except ssl.SSLError:
            pass  # it wants the peer's close_notify, which comes later or never
        self.flush()
        self._sock.shutdown(socket.SHUT_WR)

    def fin_without_close_notify(self):
        self._sock.shutdown(socket.SHUT_WR)

    def settimeout(self, seconds):
        self._sock.settimeout(seconds)

    def setsockopt(self, *arguments):
        self._sock.setsockopt(*arguments)

    def pending(self):
        """True if bytes wait that the system no longer has."""
        return bool(self._incoming.pending or self.tls.pending())

    def fileno(self):
        return self._sock.fileno()

    def close(self):
        self._sock.close()
