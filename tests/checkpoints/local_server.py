"""HTTP server of this machine for tests."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class QuietHandler(BaseHTTPRequestHandler):
    """Request handler without a log."""

    def log_message(self, *args):
        pass


@contextmanager
def local_server(handler):
    """Serve requests by a handler class in a thread. The URL of the server is its attribute ``url``."""
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        server.url = f'http://127.0.0.1:{server.server_port}'
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()
