from __future__ import annotations

import pytest

from mot_dinov3.config.tracking.live import LiveConfig, is_loopback, parse_address
from mot_dinov3.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8080", ("127.0.0.1", 8080)),
        (":8080", ("127.0.0.1", 8080)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("127.0.0.1", ("127.0.0.1", 0)),
        ("localhost:9", ("localhost", 9)),
        ("0.0.0.0:8080", ("0.0.0.0", 8080)),
        ("[::1]:8080", ("::1", 8080)),
        ("my-host.lan:65535", ("my-host.lan", 65535)),
    ],
)
def test_what_serve_means(text, address):
    assert parse_address(text) == address
    assert LiveConfig(serve=text).address == address


@pytest.mark.parametrize(
    "text", ["65536", "host:70000", "a b", "http://x:1", "host:port", "-1", "a/b"]
)
def test_an_address_that_is_none_names_the_flag(text):
    with pytest.raises(UsageError, match="--serve must be"):
        LiveConfig(serve=text)


def test_loopback_is_what_only_this_machine_can_reach():
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "localhost", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.0.1", "::", "127.evil.example", "")))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"reconnect": -2}, "--reconnect"), ({"read_timeout": 0.0}, "--read-timeout"),
     ({"read_timeout": float("nan")}, "--read-timeout")],
)  # fmt: skip
def test_values_out_of_range_name_the_flag(wrong, name):
    with pytest.raises(UsageError, match=name):
        LiveConfig(**wrong)
