"""Resolution of addresses, and atomic downloads."""

from __future__ import annotations

import hashlib
import shutil

import pytest
import torch
from local_server import QuietHandler, local_server
from safetensors.torch import save

from hrnet_plugin.checkpoints import addresses
from hrnet_plugin.checkpoints.addresses import resolve_checkpoint, url_of

BODY = save({'conv.weight': torch.arange(60.)})
DIGEST = hashlib.sha256(BODY).hexdigest()
NAME = f'net-{DIGEST[:8]}.pth'


class Handler(QuietHandler):

    def do_GET(self):
        self.server.asked.append(self.path)
        if 'missing' in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header('Content-Length', str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[:50] if 'cut' in self.path else BODY)


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    with local_server(Handler) as http:
        http.asked = []
        yield http


def at(server, name):
    return f'http://127.0.0.1:{server.server_port}/{name}'


def kept(tmp_path):
    folder = tmp_path / 'hub' / 'checkpoints'
    return [path.name for path in folder.rglob('*') if path.is_file()]


def test_hub_addresses(monkeypatch):
    monkeypatch.delenv('HF_ENDPOINT', raising=False)
    assert url_of('timm://hrnet_w48.ms_in1k') == (
        'https://huggingface.co/timm/hrnet_w48.ms_in1k/resolve/main/model.safetensors')
    assert url_of('hf://me/nets/a/b.pth') == 'https://huggingface.co/me/nets/resolve/main/a/b.pth'
    assert url_of('hf://me/nets@v1/b.pth') == 'https://huggingface.co/me/nets/resolve/v1/b.pth'
    assert url_of('open-mmlab://msra/hrnetv2_w18').endswith('hrnetv2_w18-00eb2006.pth')
    assert url_of('some/file.pth') is None
    monkeypatch.setenv('HF_ENDPOINT', 'https://mirror.example/')
    assert url_of('hf://me/nets/b.pth') == 'https://mirror.example/me/nets/resolve/main/b.pth'


@pytest.mark.parametrize(('address', 'message'), [
    ('timm://hrnet_w48', 'must be timm://MODEL.TAG'), ('hf://me/nets', 'must be hf://OWNER/REPOSITORY/FILE'),
    ('open-mmlab://msra/hrnetv2_w64', 'must be a model that mmengine lists. Its HRNets are: msra/hrnetv2_w18'),
    ('ftp://x/y.pth', 'the address of a checkpoint must be a path')])
def test_malformed_addresses(address, message):
    with pytest.raises(ValueError, match=message):
        resolve_checkpoint([address])


def test_downloads_are_cached(server, tmp_path):
    url = at(server, NAME)
    for _ in range(2):
        path, address = resolve_checkpoint([url], DIGEST[:12])
        assert (path.read_bytes(), address, path.name) == (BODY, url, NAME)
    assert server.asked == [f'/{NAME}']
    assert kept(tmp_path) == [NAME]


def test_files_of_the_same_name_do_not_collide(server):
    a, b = (resolve_checkpoint([at(server, f'{folder}/model.safetensors')])[0] for folder in 'ab')
    assert a != b
    assert a.name.endswith('-model.safetensors')


@pytest.mark.parametrize(('name', 'error', 'message'), [
    ('missing.pth', OSError, 'the server answered 404'),
    ('cut.pth', OSError, f'was cut off after 50 of {len(BODY)} bytes'),
    ('x.pth', ValueError, 'must have the sha256 00000000, got')])
def test_failed_downloads_leave_no_files(name, error, message, server, tmp_path):
    with pytest.raises(error, match=message):
        resolve_checkpoint([at(server, name)], '00000000' if name == 'x.pth' else None)
    assert kept(tmp_path) == []


def test_a_cached_file_with_another_digest_is_downloaded_again(server, tmp_path):
    path, _ = resolve_checkpoint([at(server, 'x.pth')])
    path.write_bytes(b'PK half')
    assert resolve_checkpoint([at(server, 'x.pth')], DIGEST)[0].read_bytes() == BODY


def test_the_next_address_is_tried(server, tmp_path, monkeypatch):
    warned = []
    monkeypatch.setattr(addresses, 'print_log', lambda text, **_: warned.append(text))
    wanted = [str(tmp_path / 'none.pth'), at(server, 'missing.pth'), at(server, 'x.pth')]
    assert resolve_checkpoint(wanted)[1] == wanted[2]
    assert sum('trying the next' in text for text in warned) == 2
    with pytest.raises(OSError, match=r'no address of the checkpoint can be resolved:\n.*none\.pth.*\n.*404'):
        resolve_checkpoint(wanted[:2])


@pytest.mark.parametrize('rank', [0, 1])
def test_one_barrier_for_all_addresses(rank, server, tmp_path, monkeypatch):
    """With a barrier per address, a rank that needs the second address would wait forever."""
    met = []
    monkeypatch.setattr(addresses, 'get_rank', lambda: rank)
    monkeypatch.setattr(addresses, 'barrier', lambda: met.append(len(server.asked)))
    resolve_checkpoint([at(server, 'missing.pth'), at(server, 'net.pth')])
    assert met == [2 if rank == 0 else 0]
    with pytest.raises(OSError, match='answered 404'):
        resolve_checkpoint([at(server, 'missing.pth')])
    assert len(met) == 2
    (tmp_path / 'here.pth').write_bytes(BODY)
    resolve_checkpoint([str(tmp_path / 'here.pth')])  # a path requires no barrier
    assert len(met) == 2


def test_no_network_and_unwritable_cache(server, tmp_path):
    port = server.server_port
    server.shutdown()
    server.server_close()
    with pytest.raises(OSError, match=r'cannot be fetched: .*Without a network, give the path of a file'):
        resolve_checkpoint([f'http://127.0.0.1:{port}/x.pth'])
    shutil.rmtree(tmp_path / 'hub' / 'checkpoints')
    (tmp_path / 'hub' / 'checkpoints').write_text('a file')
    with pytest.raises(OSError, match=r'cannot be stored in \S*hub/checkpoints\S*: .*\. Set TORCH_HOME to another'):
        resolve_checkpoint([f'http://127.0.0.1:{port}/x.pth'])


def test_paths(tmp_path):
    (tmp_path / 'x y.pth').write_bytes(BODY)
    assert resolve_checkpoint([str(tmp_path / 'x y.pth')], DIGEST)[0] == tmp_path / 'x y.pth'
    assert resolve_checkpoint([f'file://{tmp_path}/x%20y.pth'])[0] == tmp_path / 'x y.pth'
    with pytest.raises(ValueError, match=r'x y\.pth must have the sha256 abcdef12, got'):
        resolve_checkpoint([str(tmp_path / 'x y.pth')], 'abcdef12')
    with pytest.raises(FileNotFoundError):
        resolve_checkpoint([str(tmp_path / 'z.pth')])
