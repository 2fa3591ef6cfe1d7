"""Downloads: wrong responses are not cached, and damaged cache files are downloaded again."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import save

from hrnet_plugin.checkpoints import downloads
from hrnet_plugin.checkpoints.addresses import resolve_checkpoint
from hrnet_plugin.checkpoints.downloads import digits_in, fetch
from hrnet_plugin.checkpoints.file import read
from hrnet_plugin.checkpoints.published import published


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def stored(**options):
    file = io.BytesIO()
    torch.save({'conv.weight': torch.arange(500.)}, file, **options)
    return file.getvalue()


SAFETENSORS = save({'conv.weight': torch.arange(60.)})
FORMATS = {'zip': stored(), 'legacy': stored(_use_new_zipfile_serialization=False), 'safetensors': SAFETENSORS}
PAGE = b'<!DOCTYPE html>\n<html><body>Log in</body></html>'
POINTER = b'version https://git-lfs.github.com/spec/v1\noid sha256:0a1b2c3d\nsize 300\n'
DIGEST = sha256(SAFETENSORS)
NAME = f'net-{DIGEST[:8]}.pth'


def files(folder):
    return [path for path in folder.rglob('*') if path.is_file()]


def answer(body, *headers, version='1.0'):
    return '\r\n'.join((f'HTTP/{version} 200 OK', *headers, '', '')).encode() + body


class Handler(BaseHTTPRequestHandler):

    def do_GET(self):
        self.server.requests.append(self.headers)
        self.wfile.write(self.server.answer)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.requests, self.answer = [], answer(SAFETENSORS)
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()

    def url(self, name):
        return f'http://127.0.0.1:{self.server_port}/{name}'

    def stop(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    return tmp_path / 'checkpoints'


@pytest.fixture
def servers(cache):
    both = Server(), Server()
    yield both
    for server in both:
        server.stop()


@pytest.fixture
def server(servers):
    return servers[0]


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('share', [0.1, 0.6, 0.99])
def test_a_truncated_body_without_a_length(kind, share, server, cache):
    body = FORMATS[kind]
    server.answer = answer(body[:int(len(body) * share)])
    with pytest.raises(ValueError, match=r'http://.*/x\.pth (is not a complete|is cut off|is not a checkpoint)'):
        fetch(server.url('x.pth'))
    assert files(cache) == []
    server.answer = answer(body)
    assert fetch(server.url('x.pth')).read_bytes() == body


def test_a_truncated_chunked_body(server, cache):
    chunk = b'%x\r\n%s\r\n' % (len(SAFETENSORS), SAFETENSORS)
    server.answer = answer(chunk, 'Transfer-Encoding: chunked', version='1.1')
    with pytest.raises(OSError, match=r'x\.pth was cut off before its end; nothing was stored'):
        fetch(server.url('x.pth'))
    assert files(cache) == []
    server.answer = answer(chunk + b'0\r\n\r\n', 'Transfer-Encoding: chunked', version='1.1')
    assert fetch(server.url('x.pth')).read_bytes() == SAFETENSORS


@pytest.mark.parametrize(('body', 'message'), [
    (PAGE, 'is a web page, not a checkpoint'), (POINTER, 'is a Git LFS pointer'), (b'', 'is empty'),
    (gzip.compress(SAFETENSORS), 'is not a checkpoint: it begins with'),
    (b'{"error": "denied"}', 'is not a checkpoint')])
def test_wrong_bodies_are_not_cached_and_the_next_address_is_tried(body, message, servers, cache):
    servers[0].answer = answer(body, f'Content-Length: {len(body)}')
    first, second = (server.url('x.pth') for server in servers)
    with pytest.raises(ValueError, match=rf'{first} {message}'):
        resolve_checkpoint([first])
    with pytest.raises(ValueError, match=rf'must have the sha256 {DIGEST[:8]}, as in its name, got .*: it {message}'):
        resolve_checkpoint([servers[0].url(NAME)])
    assert files(cache) == []
    assert resolve_checkpoint([first, second])[1] == second


def test_a_compressed_body_is_decoded(server, cache):
    packed = gzip.compress(SAFETENSORS)
    for packed_length in ((), (f'Content-Length: {len(packed)}',)):
        server.answer = answer(packed, 'Content-Encoding: gzip', *packed_length)
        path = fetch(server.url(NAME), DIGEST)
        assert path.read_bytes() == SAFETENSORS
        path.unlink()
    assert [headers['Accept-Encoding'] for headers in server.requests] == ['identity'] * 2


@pytest.mark.parametrize(('encoding', 'body', 'message'), [
    ('gzip', gzip.compress(SAFETENSORS)[:-9], 'was cut off'), ('gzip', SAFETENSORS, 'was cut off'),
    ('br', SAFETENSORS, "must be sent with Content-Encoding identity or gzip, got 'br'")])
def test_unsupported_encodings_raise(encoding, body, message, server, cache):
    server.answer = answer(body, f'Content-Encoding: {encoding}', f'Content-Length: {len(body)}')
    with pytest.raises(OSError, match=message):
        fetch(server.url('x.pth'))
    assert files(cache) == []


def test_digits_in_the_name_that_do_not_match(server, cache):
    """An explicit sha256 overrides the digits, and does not take the cache entry of the file with these digits."""
    url = server.url('net-0a1b2c3d.pth')
    with pytest.raises(ValueError, match=rf'must have the sha256 0a1b2c3d, as in its name, got {DIGEST[:8]}: it is '
                       rf"another file, .*\. If its name contains no .*, set sha256='{DIGEST[:16]}' or give the path"):
        fetch(url)
    assert files(cache) == []
    for _ in range(2):
        path = fetch(url, DIGEST[:16])
        assert path.read_bytes() == SAFETENSORS
    assert len(server.requests) == 2
    assert path.name.endswith('-net-0a1b2c3d.pth')
    with pytest.raises(ValueError, match='must have the sha256 0a1b2c3d'):
        fetch(url)
    with pytest.raises(ValueError, match='must have the sha256 ffffffff, got'):
        fetch(server.url(NAME), 'ffffffff')


def test_the_same_name_at_two_hosts(servers):
    """A name with digits identifies a file from any host, and another file never takes its cache entry."""
    other = save({'conv.weight': torch.zeros(60)})
    servers[0].answer = answer(other)
    with pytest.raises(ValueError, match='must have the sha256'):
        fetch(servers[0].url(NAME))
    assert fetch(servers[1].url(NAME)).read_bytes() == SAFETENSORS
    assert fetch(servers[0].url(NAME)).read_bytes() == SAFETENSORS
    assert [fetch(server.url('net_0a1b2c3d.pth')).read_bytes() for server in servers] == [other, SAFETENSORS]


@pytest.mark.parametrize('name', [NAME, 'x.pth'])
@pytest.mark.parametrize('damage', [PAGE, POINTER, b'', gzip.compress(SAFETENSORS), SAFETENSORS[:-9],
                                     FORMATS['zip'][:-700], FORMATS['legacy'][:-700]])
def test_damaged_cache_files_are_replaced(name, damage, server, monkeypatch):
    warned = []
    monkeypatch.setattr(downloads, 'print_log', lambda text, **_: warned.append(text))
    fetch(server.url(name)).write_bytes(damage)
    for _ in range(2):
        assert fetch(server.url(name)).read_bytes() == SAFETENSORS
    assert len(server.requests) == 2
    assert sum(text.endswith(f'; fetching {server.url(name)} again') for text in warned) == 1


@pytest.mark.parametrize('name', [NAME, 'x.pth'])
def test_damaged_cache_files_without_a_network(name, server):
    path = fetch(server.url(name))
    path.write_bytes(PAGE)
    server.answer = answer(PAGE)
    with pytest.raises(ValueError, match=rf'^{server.url(name)} .*; and the cached {path} .*a web page.*Remove {path}'):
        fetch(server.url(name))
    server.stop()
    with pytest.raises(OSError, match=rf'cannot be fetched: .*; and the cached {path} .*a web page.*Remove {path} or'):
        fetch(server.url(name))
    assert path.read_bytes() == PAGE


def test_a_file_with_a_known_sha256_is_not_read(server, monkeypatch):
    monkeypatch.setattr(downloads, 'read', None)
    for digits in (None, DIGEST[:8], DIGEST):
        assert fetch(server.url(NAME), digits).name == NAME
    assert fetch(server.url('x.pth'), DIGEST).name.endswith('-x.pth')


def test_several_processes_at_once(server, cache):
    """Threads take the place of processes. Each writes its own scratch file."""
    threads = [threading.Thread(target=fetch, args=[server.url('x.pth')]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path, = files(cache)
    assert read(path).tensors['conv.weight'].shape == (60,)
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask  # readable for other users as the umask allows


@pytest.mark.parametrize(('name', 'digits'), [
    ('hrnetv2_w18-00eb2006.pth', '00eb2006'), ('faster_rcnn_w18_1x_coco_20200130-56651a6d.pth', '56651a6d'),
    ('hrnet_w32_aic_256x192-30a4e465_20200826.pth', '30a4e465'), ('cid_512x512_42b7e6e6-20230207.pth', '42b7e6e6'),
    ('a-0a1b2c3d.v2.safetensors', '0a1b2c3d'), ('model_final_20200826.pth', None), ('net-20230207.pth', None),
    ('iter-00080000.pth', None), ('net_0a1b2c3d.pth', None), ('0a1b2c3d-net.pth', None), ('net-0a1b2c3d4.pth', None),
    ('net-0A1B2C3D.pth', None), ('model.safetensors', None)])
def test_digits_in_names(name, digits):
    assert digits_in(name) == digits


def test_digits_in_published_names():
    """All sha256 in published names are detected, except those without a letter."""
    for row in published():
        if row.sha256 and row.address.startswith('https://'):
            assert digits_in(row.address.rsplit('/', 1)[-1]) == (None if row.sha256.isdecimal() else row.sha256)
