"""Addresses on the Hugging Face Hub: a local server behaves as the hub, with and without huggingface_hub."""

from __future__ import annotations

import hashlib
import sys

import pytest
import torch
from local_server import QuietHandler, local_server
from safetensors.torch import save

from hrnet_plugin.checkpoints.addresses import resolve_checkpoint

BODY = save({'conv.weight': torch.arange(60.)})
DIGEST = hashlib.sha256(BODY).hexdigest()
COMMIT = '0123456789abcdef0123456789abcdef01234567'
ERRORS = {'gated': (403, 'GatedRepo'), 'unknown': (404, 'RepoNotFound'), 'no.pth': (404, 'EntryNotFound'),
          'v9': (404, 'RevisionNotFound')}


class Handler(QuietHandler):

    def do_HEAD(self):
        self.server.requests.append((self.command, self.path))
        code, error = next((ERRORS[word] for word in self.path.split('/') if word in ERRORS), (200, None))
        self.send_response(code)
        if error is not None:
            self.send_header('X-Error-Code', error)
        else:
            self.send_header('X-Repo-Commit', COMMIT)
            self.send_header('ETag', f'"{DIGEST}"')
            self.send_header('X-Linked-Size', str(len(BODY)))
            self.send_header('X-Linked-ETag', f'"{DIGEST}"')
        self.send_header('Content-Length', str(0 if error else len(BODY)))
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        if 'resolve' in self.path and not any(word in self.path for word in ERRORS):
            self.wfile.write(BODY)


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'torch'))
    with local_server(Handler) as http:
        http.requests = []
        monkeypatch.setenv('HF_ENDPOINT', f'{http.url}/')
        yield http


@pytest.fixture
def library(tmp_path, monkeypatch):
    constants = pytest.importorskip('huggingface_hub.constants')
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path / 'hub'))
    monkeypatch.setattr(constants, 'HF_HUB_DISABLE_XET', True, raising=False)
    return constants


def test_the_library_serves_both_schemes(server, library, tmp_path):
    for address in ('hf://me/nets@v1/a/net.safetensors', 'timm://hrnet_w48.ms_in1k'):
        for _ in range(2):
            path, got = resolve_checkpoint([address], DIGEST[:12])
            assert (path.read_bytes(), got) == (BODY, address)
            assert tmp_path / 'hub' in path.parents
            assert COMMIT in str(path)
    assert [path for command, path in server.requests if command == 'GET' and 'resolve' in path] == [
        '/me/nets/resolve/v1/a/net.safetensors', '/timm/hrnet_w48.ms_in1k/resolve/main/model.safetensors']


def test_the_digest_is_checked(server, library):
    with pytest.raises(ValueError, match=r'^hf://me/nets/net-0a1b2c3d\.pth must have the sha256 0a1b2c3d, as in its '
                       r'name, got .* Remove \S+ to download it again$'):
        resolve_checkpoint(['hf://me/nets/net-0a1b2c3d.pth'])
    with pytest.raises(ValueError, match='must have the sha256 ffffffff'):
        resolve_checkpoint(['hf://me/nets/net.pth'], 'ffffffff')


@pytest.mark.parametrize(('address', 'message'), [
    ('hf://me/gated/x.pth', 'its repository is gated. Accept its terms on the web page and set HF_TOKEN'),
    ('hf://me/unknown/x.pth', 'there is no such repository, or it is private'),
    ('hf://me/nets/no.pth', 'its repository has no such file'),
    ('hf://me/nets@v9/x.pth', 'its repository has no such revision'),
    ('hf://me/ne--ts/x.pth', r'\w+: ')])
def test_errors_of_the_library(address, message, server, library):
    with pytest.raises(OSError, match=rf'^{address} cannot be fetched: {message}') as caught:
        resolve_checkpoint([address])
    assert str(caught.value).isprintable()


def test_offline_with_and_without_a_cached_file(server, library, monkeypatch):
    path, _ = resolve_checkpoint(['hf://me/nets/x.pth'])
    monkeypatch.setattr(library, 'HF_HUB_OFFLINE', True)
    assert resolve_checkpoint(['hf://me/nets/x.pth'])[0] == path
    with pytest.raises(OSError, match='cannot be fetched: the server cannot be reached, or HF_HUB_OFFLINE is set'):
        resolve_checkpoint(['hf://me/nets/y.pth'])


def test_offline_with_a_file_in_the_cache_of_torch(server, library, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, 'huggingface_hub', None)
        path, _ = resolve_checkpoint(['timm://hrnet_w18.ms_in1k'])
    monkeypatch.setattr(library, 'HF_HUB_OFFLINE', True)
    assert resolve_checkpoint(['timm://hrnet_w18.ms_in1k'])[0] == path
    path.write_bytes(BODY[:-1])
    with pytest.raises(ValueError, match=rf'^{path} is not a complete safetensors file'):
        resolve_checkpoint(['timm://hrnet_w18.ms_in1k'])


def test_without_the_library(server, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    path, _ = resolve_checkpoint(['hf://me/nets/net.pth'], DIGEST)
    assert path.read_bytes() == BODY
    assert tmp_path / 'torch' in path.parents
    assert server.requests == [('GET', '/me/nets/resolve/main/net.pth')]
    with pytest.raises(OSError, match='the server answered 404'):
        resolve_checkpoint(['hf://me/unknown/x.pth'])
