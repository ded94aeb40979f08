"""A token renewer for Jupyter servers in gateway mode: the session token comes from a file.

jupyter_server asks it before every request to the gateway and every WebSocket (GatewayClient's
gateway_token_renewer_class), so a token that something else writes to that file takes part at once.
README.md beside this file says how to set it up.
"""

import os

from jupyter_server.gateway.gateway_client import GatewayTokenRenewerBase
from traitlets import Unicode, default

TOKEN_BYTES_MAX = 16 * 1024  # Kernelgate takes no longer one
FILE_ENV = "KERNELGATE_TOKEN_FILE"


class FileTokenRenewer(GatewayTokenRenewerBase):
    """The content of token_file, one line, read anew whenever the file has changed.

    A file that cannot be used is an error in the server's log, once for each state of the file;
    requests go on with the last good token, at first that of JUPYTER_GATEWAY_AUTH_TOKEN.
    """

    token_file = Unicode(
        config=True,
        help=f"The file that holds the session token. ({FILE_ENV} env var)",
    )

    @default("token_file")
    def _token_file_default(self):
        return os.environ.get(FILE_ENV, "")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._seen = None  # the state of the file that was read or complained about
        self._token = ""

    def get_token(self, auth_header_key, auth_scheme, auth_token, **kwargs):
        try:
            self._look()
        except OSError as error:
            self._complain(("unreadable", error.errno), f"cannot be read: {error.strerror}")
        return self._token or auth_token

    def _look(self):
        if not self.token_file:
            return self._complain("unnamed", "is not named")
        status = os.stat(self.token_file)
        state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if state == self._seen:
            return
        if status.st_size > TOKEN_BYTES_MAX:
            return self._complain(state, "is too large for a token")
        with open(self.token_file, encoding="utf-8", errors="replace") as file:
            token = file.read(TOKEN_BYTES_MAX + 1).strip()
        if not token:
            return self._complain(state, "is empty")
        if not all("!" <= character <= "~" for character in token):
            return self._complain(state, "holds more than one token, or something else")
        self._seen = state
        if token != self._token:
            self._token = token
            self.log.info("Kernelgate: a new session token from %s", self.token_file)

    def _complain(self, state, problem):
        if state != self._seen:
            self._seen = state
            self.log.error(
                "Kernelgate: the token file %r %s; requests go on with the token of before. Set "
                "FileTokenRenewer.token_file or %s to a file with the session token on one line.",
                self.token_file, problem, FILE_ENV)
