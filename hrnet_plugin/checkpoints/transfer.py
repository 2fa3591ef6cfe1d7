"""Transfer of a file over HTTP with bounds of size and time."""

from __future__ import annotations

import http.client
import shutil
import time
import zlib
from collections.abc import Iterator
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from hrnet_plugin.checkpoints.header_deadline import WatchedConnections
from hrnet_plugin.escaping import shorten
from hrnet_plugin.version import __version__

#: Maximum bytes of a file. A detector with HRNet-W48 and optimizer states has 1 GB.
MAX_BYTES = 16 << 30
#: Seconds that a server may send nothing.
TIMEOUT = 30.
#: Seconds until all headers have arrived, also those of redirects.
HEADER_SECONDS = 60.
#: Bytes per second that a server must send on average, after the first ``SLOW_SECONDS``.
MIN_RATE, SLOW_SECONDS = 1000, 60.

_BLOCK = 1 << 20
_GZIP = 31  # window bits of zlib for the format of gzip
_ENCODINGS = ('br', 'zstd', 'deflate', 'compress', 'x-compress')  # which are not decoded
_WEB_PAGES = ('text/html', 'application/xhtml+xml')
_IN_URLS = "%/:?#[]@!$&'()*+,;=~"


class SafeRedirects(HTTPRedirectHandler):
    """Redirects to HTTPS, or from HTTP to HTTP."""

    def redirect_request(self, request: Request, response: IO[bytes], code: int, reason: str, headers: HTTPMessage,
                         url: str) -> Request | None:
        old, new = urlsplit(request.full_url).scheme, urlsplit(url).scheme
        if new != 'https' and (old, new) != ('http', 'http'):
            raise HTTPError(request.full_url, code, f'a redirect from {old} to {shorten(url)}, which is not followed',
                            headers, response)
        response.close()  # urllib would read its content, of any size
        return super().redirect_request(request, response, code, reason, headers, url)


def receive(url: str, path: Path) -> None:
    """Write the content at a URL to a file.

    Args:
        url: ``http://`` or ``https://``. Redirects are followed, except from ``https://`` to ``http://``.
        path: File to write. It may be incomplete after an error.

    Raises:
        OSError: If the file cannot be received completely, or cannot be written.
        ValueError: If the server sends a web page.
    """
    headers = {'User-Agent': f'hrnet_plugin/{__version__}', 'Accept-Encoding': 'identity'}
    connections = WatchedConnections()
    opener = build_opener(SafeRedirects, connections.handler())
    try:
        with connections.end_after(HEADER_SECONDS):
            opened = opener.open(Request(quote(url, safe=_IN_URLS), headers=headers), timeout=TIMEOUT)
        with opened as response:
            _check_type(response, url)
            length = response.length
            _check_space(length, url, path)
            _write(_decode(_read(response, url), response.headers.get('Content-Encoding', ''), url), url, path)
            if response.length:  # bytes that were announced and not sent
                raise OSError(f'{url} was cut off after {length - response.length} of {length} bytes; nothing was '
                              'stored')
    except HTTPError as error:
        reason = shorten(str(error.reason))
        raise OSError(f'{url} cannot be fetched: the server answered {error.code} ({reason})') from None
    except http.client.IncompleteRead:
        raise OSError(f'{url} was cut off before its end; nothing was stored') from None
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = shorten(str(getattr(error, 'reason', None) or error))
        raise OSError(f'{url} cannot be fetched: {reason}. Without a network, give the path of a file') from None


def _check_type(response: HTTPResponse, url: str) -> None:
    kind = response.headers.get_content_type()
    if kind in _WEB_PAGES:
        raise ValueError(f'{url} is a web page, not a checkpoint: the server sent {kind}, from a page about the file '
                         'or a login')


def _check_space(length: int | None, url: str, path: Path) -> None:
    """Check the length that the server announces, before anything is received."""
    if length is None:
        return
    free = shutil.disk_usage(path.parent).free
    if length > free:
        raise OSError(f'{url} has {length} bytes, but {path.parent} has {free} bytes of free space. Set TORCH_HOME to '
                      'another folder')
    _check_size(length, url)


def _check_size(size: int, url: str) -> None:
    if size > MAX_BYTES:
        raise OSError(f'{url} must have at most {MAX_BYTES} bytes, got more. Download it and give the path of the file')


def _read(response: HTTPResponse, url: str) -> Iterator[bytes]:
    start, size = time.monotonic(), 0
    while block := response.read1(_BLOCK):  # returns what has arrived, unlike read
        size += len(block)
        seconds = time.monotonic() - start
        if seconds > SLOW_SECONDS and size < MIN_RATE * seconds:
            raise OSError(f'{url} is received too slowly: {size} bytes in {seconds:.0f} seconds; nothing was stored')
        yield block


def _decode(blocks: Iterator[bytes], encoding: str, url: str) -> Iterator[bytes]:
    """Decode blocks of a Content-Encoding. Some servers compress without a request.

    Names that are no compression, such as 'aws-chunked' and 'binary', are ignored: the file is checked afterwards.
    """
    names = [name.strip().lower() for name in encoding.split(',')]
    if any(name in _ENCODINGS for name in names):
        raise OSError(f'{url} must be sent with Content-Encoding identity or gzip, got {encoding!r}. Give another '
                      'address or the path of a file')
    if 'gzip' not in names and 'x-gzip' not in names:
        yield from blocks
        return
    decoder = zlib.decompressobj(_GZIP)
    try:
        for block in blocks:
            while block and not decoder.eof:
                yield decoder.decompress(block, _BLOCK)
                block = decoder.unconsumed_tail
    except zlib.error:
        raise OSError(f'{url} was cut off or damaged: its gzip encoding is invalid; nothing was stored') from None
    if not decoder.eof:
        raise OSError(f'{url} was cut off before its end; nothing was stored')


def _write(blocks: Iterator[bytes], url: str, path: Path) -> None:
    size = 0
    with path.open('wb', buffering=0) as file:
        for block in blocks:
            size += len(block)
            _check_size(size, url)
            try:
                file.write(block)
            except OSError as error:
                raise OSError(f'{url} cannot be stored in {path.parent}: {error.strerror}. Set TORCH_HOME to another '
                              'folder') from None
