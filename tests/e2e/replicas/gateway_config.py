"""The configuration of one gateway of several: what it does is written down, and what it takes over
from another one works like its own.

KG_JOURNAL is a file of JSON lines: {"method", "path", "status"} of each request when it has been
answered (a WebSocket with its handshake), and {"deleted": ID} of each persisted record that goes.
"""

import json
import os

from enterprise_gateway.services.kernels.remotemanager import RemoteMappingKernelManager
from enterprise_gateway.services.sessions.kernelsessionmanager import FileKernelSessionManager
from tornado.web import Application

# A restarter would resurrect what another gateway has deleted.
c.RemoteKernelManager.autorestart = False  # noqa: F821

journal = open(os.environ["KG_JOURNAL"], "a", encoding="utf-8", buffering=1)


def write_down(**event):
    journal.write(json.dumps(event) + "\n")


def log_request(_, handler):
    request = handler.request
    write_down(method=request.method, path=request.path, status=handler.get_status())


def delete_sessions(manager, kernel_ids):
    for kernel in kernel_ids:
        if os.path.exists(os.path.join(manager._get_sessions_loc(), f"{kernel}.json")):
            write_down(deleted=kernel)
    stock_delete_sessions(manager, kernel_ids)


def start_kernel_from_session(manager, kernel_id, **session):
    """Without its ports a kernel from a session answers 500 to a restart and to a reconnect."""
    started = stock_start_kernel_from_session(manager, kernel_id=kernel_id, **session)
    if started:
        manager._kernel_ports[kernel_id] = manager._kernels[kernel_id].ports
    return started


stock_delete_sessions = FileKernelSessionManager.delete_sessions
stock_start_kernel_from_session = RemoteMappingKernelManager.start_kernel_from_session
Application.log_request = log_request
FileKernelSessionManager.delete_sessions = delete_sessions
RemoteMappingKernelManager.start_kernel_from_session = start_kernel_from_session
