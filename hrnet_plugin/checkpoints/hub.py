"""Files on the Hugging Face Hub, by ``huggingface_hub`` if it is installed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hrnet_plugin.checkpoints.downloads import check, digits_in
from hrnet_plugin.checkpoints.pickle_file import first_sentence
from hrnet_plugin.version import __version__

_ADDRESS = re.compile(r'([^/@]+)/([^/@]+)(?:@([^/]+))?/(.+)')
# error types of huggingface_hub, more specific ones first
_REASONS = {
    'GatedRepoError': 'its repository is gated. Accept its terms on the web page and set HF_TOKEN',
    'RevisionNotFoundError': 'its repository has no such revision',
    'RepositoryNotFoundError': 'there is no such repository, or it is private. Set HF_TOKEN for a private one',
    'LocalEntryNotFoundError': 'the server cannot be reached, or HF_HUB_OFFLINE is set, and the file is not in the '
                               'cache. Without a network, give the path of a file',
    'EntryNotFoundError': 'its repository has no such file',
}


@dataclass(frozen=True)
class HubFile:
    """File in a repository of the Hugging Face Hub.

    Attributes:
        repository: 'OWNER/NAME'.
        revision: Branch, tag or commit.
        name: Path in the repository.
    """

    repository: str
    revision: str
    name: str

    @property
    def url(self) -> str:
        """URL of the file. The environment variable ``HF_ENDPOINT`` sets another server."""
        endpoint = _endpoint() or 'https://huggingface.co'
        return f'{endpoint}/{self.repository}/resolve/{quote(self.revision, safe="")}/{quote(self.name)}'


def hub_file(address: str) -> HubFile | None:
    """Return the file of an address with ``hf://`` or ``timm://``, or None for other addresses.

    Raises:
        ValueError: If the address is malformed.
    """
    scheme, _, rest = address.partition('://')
    if scheme == 'timm':
        if '.' not in rest or '/' in rest:
            raise ValueError(f'{address} must be timm://MODEL.TAG, such as timm://hrnet_w48.ms_in1k')
        return HubFile(f'timm/{rest}', 'main', 'model.safetensors')
    if scheme == 'hf':
        parts = _ADDRESS.fullmatch(rest)
        if parts is None:
            raise ValueError(f'{address} must be hf://OWNER/REPOSITORY/FILE')
        return HubFile(f'{parts[1]}/{parts[2]}', parts[3] or 'main', parts[4])
    return None


def fetch_by_library(file: HubFile, address: str, sha256: str | None = None) -> Path | None:
    """Return the file in the cache of ``huggingface_hub``, or None if that package is not installed.

    The package downloads a missing file. Its environment variables apply: HF_HOME, HF_TOKEN and HF_HUB_OFFLINE.

    Args:
        file: File to fetch.
        address: Address of the file, for messages.
        sha256: First digits of the expected sha256. Default: those in the file name, if any.

    Raises:
        OSError: If the file cannot be fetched.
        ValueError: If it has another sha256, or no sha256 is known and it is not a checkpoint.
    """
    try:
        from huggingface_hub import hf_hub_download  # optional, and slow to import
    except ImportError:
        return None
    try:
        path = Path(hf_hub_download(file.repository, file.name, revision=file.revision, endpoint=_endpoint(),
                                    library_name='hrnet_plugin', library_version=__version__))
    except Exception as error:  # its types depend on the version of the package and of its HTTP client
        raise OSError(f'{address} cannot be fetched: {_reason(error)}') from None
    try:
        check(path, address, sha256, digits_in(Path(file.name).name))
    except ValueError as error:
        raise ValueError(f'{error}. Remove {path} to download it again') from None
    return path


def _reason(error: Exception) -> str:
    types = [kind.__name__ for kind in type(error).__mro__]
    return next((reason for name, reason in _REASONS.items() if name in types), first_sentence(error))


def _endpoint() -> str | None:
    return os.environ.get('HF_ENDPOINT', '').rstrip('/') or None
