"""In the gateways of replicas: kernels on this machine that behave as remote ones do.

With the stock local process proxy a kernel cannot be used by another gateway than its own, and ends
with it. This one launches kernels that outlive their gateway, and signals them by number, whoever
launched them.
"""

import fcntl
import os
import socket
from pathlib import Path

from enterprise_gateway.services.processproxies.processproxy import LocalProcessProxy
from jupyter_client.connect import ConnectionFileMixin

# Below the ports that the system hands out for outgoing connections.
FIRST_PORT, LAST_PORT = 20_000, 32_000


class SharedKernel(LocalProcessProxy):
    async def launch_process(self, kernel_cmd, **kwargs):
        # A kernel from a session carries arguments of its launch request.
        for name in ("kernel_name", "path"):
            kwargs.pop(name, None)
        # A restart counts on the connection file of the launch; another gateway may have made that.
        ConnectionFileMixin.write_connection_file(self.kernel_manager)
        await super().launch_process(kernel_cmd, independent=True, **kwargs)
        self.ip = "127.0.0.1"
        return self

    def select_ports(self, count):
        """Gateways that launch at once must not choose the same ones: they count on together."""
        with open(os.environ["KG_PORT_COUNTER"], "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            port, ports = int(file.read()), []
            while len(ports) < count:
                port = port + 1 if port < LAST_PORT else FIRST_PORT
                if is_free(port):
                    ports.append(port)
            file.seek(0)
            file.truncate()
            file.write(str(port))
        return ports

    def poll(self):
        return self.send_signal(0)

    def send_signal(self, signum):
        """None if it was sent, False if there is no such process; signal 0 only asks."""
        try:
            if signum:
                os.killpg(self.pgid, signum)
            elif is_zombie(self.pid):
                return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        return None

    local_signal = send_signal


def is_zombie(pid):
    """Of a kernel that another gateway launched and has not reaped. No such process: raises."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
