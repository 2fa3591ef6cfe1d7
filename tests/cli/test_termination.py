"""SIGTERM interrupts commands that run processes of their own."""

from __future__ import annotations

import signal

import pytest

from hrnet_plugin.cli.termination import interrupted_by_sigterm


def test_sigterm_is_an_interruption_within_the_block_only():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), interrupted_by_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
