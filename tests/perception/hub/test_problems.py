"""Which answer, or lack of one, means what."""

from __future__ import annotations

import errno
import socket

import pytest

from mot_dinov3.perception.hub.problems import OfflineModelError, explain


def raised(cause):
    try:
        try:
            raise cause
        except OSError as error:
            raise RuntimeError("the client's own words") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "cause",
    [
        socket.gaierror(-2, "Name or service not known"),
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        TimeoutError(errno.ETIMEDOUT, "timed out"),
        OSError(errno.ENETUNREACH, "unreachable"),
    ],
)
def test_a_network_that_is_not_there_is_no_full_disk(cause, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    error = explain(raised(cause), "owner/model", "--fallback-open")
    assert isinstance(error, OfflineModelError)
    assert "cannot be reached" in error.what
    assert "--embed-model demo" in error.fix


def test_a_full_disk_is_no_missing_network():
    error = explain(OSError(errno.ENOSPC, "No space left"), "owner/model", "--fallback-open")
    assert not isinstance(error, OfflineModelError)
    assert "HF_HOME" in error.fix
