"""Deadline for the headers of all HTTP responses up to the last redirect."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Event, Thread
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, Request

_INTERVAL = 0.1  # seconds between attempts to end connections after the deadline


class WatchedConnections:
    """Connections that can be ended from another thread."""

    def __init__(self) -> None:
        self._is_late = False
        self._connections: list[HTTPConnection] = []

    def handler(self) -> HTTPHandler:
        """Return a handler of http and https for ``urllib.request.build_opener``."""
        return _Handler(self._watch)

    def _watch(self, kind: type[HTTPConnection]) -> Callable[..., HTTPConnection]:
        def connect(host: str, **options: Any) -> HTTPConnection:
            self._connections.append(kind(host, **options))
            return self._connections[-1]

        return connect

    @contextmanager
    def end_after(self, seconds: float) -> Iterator[None]:
        """End the connections if the block takes longer.

        Raises:
            TimeoutError: If it takes longer.
        """
        done = Event()
        thread = Thread(target=self._end, args=(done, seconds), daemon=True)
        thread.start()
        try:
            yield
        except (OSError, HTTPException):
            if not self._is_late:
                raise
        finally:
            done.set()
            thread.join()
        if self._is_late:  # truncated headers are no error of http.client
            raise TimeoutError(f'the server did not send all headers in {seconds:g} seconds')

    def _end(self, done: Event, seconds: float) -> None:
        done.wait(seconds)
        while not done.wait(_INTERVAL):  # again for the connection of a redirect
            self._is_late = True
            for connection in self._connections:
                sock: socket.socket | None = connection.sock
                if sock is not None:
                    with suppress(OSError):  # closed meanwhile
                        sock.shutdown(socket.SHUT_RDWR)


class _Handler(HTTPHandler, HTTPSHandler):
    """Handler of both schemes, which replaces those of urllib."""

    def __init__(self, watch: Callable[[type[HTTPConnection]], Callable[..., HTTPConnection]]) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(self._watch(HTTPConnection), request)

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(self._watch(HTTPSConnection), request)
