"""Meddler: a man in the middle between proxies and a controller, who sees ZMTP frames (RFC 23)."""

import socket
import threading

_GREETING_BYTES = 64
_LONG = 0x02  # flag: eight bytes of length instead of one


def _read(sock, size):
    out = b""
    while len(out) < size:
        piece = sock.recv(size - len(out))
        if not piece:
            raise ConnectionError
        out += piece
    return out


class Meddler:
    """Relays to a port. What controllers say goes frame by frame through `meddle`: body in, a list
    of bodies out. `bodies` are all that came."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.meddle = lambda body: [body]
        self.bodies = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                proxy, _ = self.listener.accept()
                controller = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                return
            for work in (self._pass_on, self._meddle):
                threading.Thread(target=self._end_both, args=(work, proxy, controller),
                                 daemon=True).start()

    @staticmethod
    def _end_both(work, proxy, controller):
        try:
            work(proxy, controller)
        except OSError:
            pass
        for end in (proxy, controller):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def _pass_on(proxy, controller):
        while data := proxy.recv(65536):
            controller.sendall(data)

    def _meddle(self, proxy, controller):
        for _ in range(_GREETING_BYTES):  # each end waits for the other's in the middle of its own
            proxy.sendall(_read(controller, 1))
        while True:
            flags = _read(controller, 1)[0]
            size = int.from_bytes(_read(controller, 8 if flags & _LONG else 1), "big")
            body = _read(controller, size)
            self.bodies.append(body)
            for changed in self.meddle(body):
                is_long = len(changed) > 255
                head = bytes([flags & ~_LONG | _LONG * is_long])
                proxy.sendall(head + len(changed).to_bytes(8 if is_long else 1, "big") + changed)

    def close(self):
        self.listener.close()
