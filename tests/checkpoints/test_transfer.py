"""Bounds of downloads: web pages, sizes, slow servers, redirects, names of files, and kills."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import signal
import subprocess
import sys
import threading
import time
from urllib.error import HTTPError
from urllib.request import Request

import pytest
import torch
from local_server import QuietHandler, local_server
from safetensors.torch import save

from hrnet_plugin.checkpoints import transfer
from hrnet_plugin.checkpoints.downloads import cache_path, fetch

BODY = save({'conv.weight': torch.arange(60.)})


class Handler(QuietHandler):

    def do_GET(self):
        self.server.answer(self)


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    with local_server(Handler) as http:
        http.url += '/x.pth'
        http.stopped = threading.Event()
        yield http
        http.stopped.set()


def files(folder):
    return [path for path in folder.rglob('*') if path.is_file()]


def send(server, body=BODY, code=200, pause=0., **headers):
    """Let the server send a body in pieces of 10 bytes with a pause after each, and headers with '_' for '-'."""
    def answer(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace('_', '-'), str(value))
        handler.end_headers()
        step = 10 if pause else len(body)
        for start in range(0, len(body), step or 1):
            try:
                handler.wfile.write(body[start:start + step])
            except ConnectionError:
                return
            if server.stopped.wait(pause):
                return
    server.answer = answer


@pytest.mark.parametrize('kind', ['text/html', 'text/html; charset=utf-8', 'Application/XHTML+xml'])
def test_web_pages_are_refused_before_they_are_stored(kind, server, tmp_path):
    send(server, BODY, Content_Type=kind, Content_Length=2 << 30)
    with pytest.raises(ValueError, match=rf'^{server.url} is a web page, not a checkpoint: the server sent .*html'):
        fetch(server.url)
    assert files(tmp_path) == []
    send(server, BODY, Content_Type='text/plain')
    assert fetch(server.url).read_bytes() == BODY


def test_sizes_are_bounded(server, tmp_path, monkeypatch):
    send(server, BODY, Content_Length=1 << 60)
    with pytest.raises(OSError, match=rf'has {1 << 60} bytes, but \S+ has \d+ bytes of free space. Set TORCH_HOME'):
        fetch(server.url)
    monkeypatch.setattr(transfer, 'MAX_BYTES', 100)
    for headers in ({}, dict(Content_Length=len(BODY))):
        send(server, BODY, **headers)
        with pytest.raises(OSError, match=r'must have at most 100 bytes, got more. Download it and give the path'):
            fetch(server.url)
    assert files(tmp_path) == []


def test_slow_servers(server, tmp_path, monkeypatch):
    send(server, BODY, pause=0.05)
    monkeypatch.setattr(transfer, 'SLOW_SECONDS', 0.2)
    with pytest.raises(OSError, match=r'is received too slowly: \d+ bytes in \d+ seconds; nothing was stored'):
        fetch(server.url)
    monkeypatch.setattr(transfer, 'TIMEOUT', 0.1)
    send(server, BODY, pause=5)
    with pytest.raises(OSError, match=r'cannot be fetched: .*timed out'):
        fetch(server.url)
    assert files(tmp_path) == []


def test_headers_have_one_deadline_over_all_redirects(server, tmp_path, monkeypatch):
    def answer(handler):
        if handler.path == '/x.pth':
            handler.wfile.write(b'HTTP/1.1 302 Found\r\nLocation: /y.pth\r\n\r\n')
            with contextlib.suppress(ConnectionError):
                handler.wfile.write(bytes(1 << 20))  # not read
            return
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nX-Slow: ')
        with contextlib.suppress(ConnectionError):
            while not server.stopped.wait(0.05):
                handler.wfile.write(b'x')

    server.answer = answer
    monkeypatch.setattr(transfer, 'HEADER_SECONDS', 0.3)
    start = time.monotonic()
    with pytest.raises(OSError, match=r'cannot be fetched: the server did not send all headers in 0\.3 seconds'):
        fetch(server.url)
    assert time.monotonic() - start < 5
    assert files(tmp_path) == []


@pytest.mark.parametrize('encoding', ['aws-chunked', 'binary', 'None', 'identity', 'AWS-Chunked, gzip'])
def test_encodings_that_do_not_compress_are_ignored(encoding, server):
    send(server, gzip.compress(BODY) if 'gzip' in encoding else BODY, Content_Encoding=encoding)
    assert fetch(server.url).read_bytes() == BODY


@pytest.mark.parametrize('encoding', ['br', 'zstd', 'deflate', 'compress', 'gzip, BR'])
def test_encodings_that_are_not_decoded(encoding, server):
    send(server, BODY, Content_Encoding=encoding)
    with pytest.raises(OSError, match='must be sent with Content-Encoding identity or gzip, got'):
        fetch(server.url)


@pytest.mark.parametrize('target', ['file:///etc/passwd', 'ftp://127.0.0.1/x', 'data:text/plain,x', '/again\x1b'])
def test_redirects(target, server, tmp_path):
    send(server, b'', 302, Location=target)
    with pytest.raises(OSError, match=r'cannot be fetched: .*[Rr]edirect') as caught:
        fetch(server.url)
    assert str(caught.value).isprintable()
    assert files(tmp_path) == []


@pytest.mark.parametrize(('old', 'new', 'followed'), [
    ('https', 'https', True), ('http', 'https', True), ('http', 'http', True), ('https', 'http', False),
    ('https', 'file', False)])
def test_redirects_keep_the_encryption(old, new, followed):
    arguments = Request(f'{old}://a/x'), io.BytesIO(), 302, 'Found', {}, f'{new}://b/y'
    if followed:
        assert transfer.SafeRedirects().redirect_request(*arguments).full_url == f'{new}://b/y'
    else:
        with pytest.raises(HTTPError, match=f'a redirect from https to {new}://b/y, which is not followed'):
            transfer.SafeRedirects().redirect_request(*arguments)


@pytest.mark.parametrize(('path', 'name'), [
    ('a/net-0a1b2c3d.pth', 'net-0a1b2c3d.pth'), ('a%2F..%2Fb.pth', 'b.pth'), ('..', 'checkpoint'), ('', 'checkpoint'),
    ('x%00y.pth', 'x_y.pth'), ('a%5Cb.pth', 'b.pth'), ('%C3%A9%20%0A.pth', '___.pth'), ('.hidden', 'hidden'),
    ('n' * 300 + '.pth', 'n' * 146 + '.pth')])
def test_names_in_the_cache(path, name, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    target = cache_path(f'https://host/{path}')
    parts = target.relative_to(tmp_path / 'checkpoints').parts
    assert parts[-1].endswith(name)
    assert len(parts) == (1 if parts[-1] == name else 2)
    assert '..' not in parts


def test_hosts_have_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    hosts = ['a.org', 'A.org:8080', '[::1]:80', 'me:secret@b.org', '..']
    assert [cache_path(f'https://{host}/x.pth').parent.name for host in hosts] == [
        'a.org', 'a.org_8080', '___1__80', 'b.org', 'host']


def test_stale_partial_files_are_removed(server, tmp_path):
    send(server, BODY)
    path = fetch(server.url)
    old, new = (path.with_name(f'.{path.name}.{i:016x}.part') for i in range(2))  # of another machine
    for part in (old, new):
        part.write_bytes(BODY[:9])
    os.utime(old, (0, 0))
    path.unlink()
    assert fetch(server.url) == path
    assert sorted(files(tmp_path)) == sorted([new, path])


class FullDisk:
    """Open file on a full disk."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def write(self, block):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk(server, tmp_path, monkeypatch):
    send(server, BODY)
    monkeypatch.setattr(transfer.Path, 'open', lambda *args, **options: FullDisk())
    with pytest.raises(OSError, match=rf'^{server.url} cannot be stored in \S+: No space left on device\. Set'):
        fetch(server.url)
    assert files(tmp_path) == []


@pytest.mark.slow
def test_a_killed_download_is_not_taken_for_complete(server, tmp_path):
    send(server, BODY, pause=0.2)
    code = ('import sys, torch; torch.hub.get_dir = lambda: sys.argv[2]\n'
            'from hrnet_plugin.checkpoints.downloads import fetch\nfetch(sys.argv[1])')
    process = subprocess.Popen([sys.executable, '-c', code, server.url, str(tmp_path / 'hub')])
    end = time.monotonic() + 60
    while not any(path.stat().st_size for path in files(tmp_path)) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    part, = files(tmp_path)
    assert 0 < part.stat().st_size < len(BODY)
    assert part.name.startswith('.')
    send(server, BODY)
    assert fetch(server.url).read_bytes() == BODY
