"""Every way in which a cluster can be the wrong one."""

from __future__ import annotations

import time

import pytest
from servers import free_ports, serving, talking

from wxexp.config import ConfigError
from wxexp.launch import dashboard


def refusal(address: str, token: str | None = "t") -> str:
    with pytest.raises(ConfigError) as refused:
        dashboard.headers(address, token, lambda _: None)
    return str(refused.value)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8265", "ray://127.0.0.1:10001", "auto", "", "http://", "http://me:secret@host:8265", "http://host:8265/jobs"]
)
def test_an_address_is_that_of_a_dashboard(address: str) -> None:
    assert "address must be that of a Ray dashboard, such as http://127.0.0.1:8265, got " in refusal(address)


def test_nobody_there_is_said_at_once() -> None:
    (port,) = free_ports(1)
    begun = time.monotonic()
    assert f"http://127.0.0.1:{port} cannot be reached: Connection refused; the address is that of the dashboard (port 8265)" in refusal(
        f"http://127.0.0.1:{port}"
    )
    assert time.monotonic() - begun < 2


def test_silence_is_an_answer_within_15_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2 * dashboard.TIMEOUT < 15
    monkeypatch.setattr(dashboard, "TIMEOUT", 0.3)
    with talking(None) as address:
        assert f"{address} does not answer within" in refusal(address)


def test_what_is_no_dashboard_is_named() -> None:
    with talking(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00") as address:  # as a gRPC server greets
        assert "is no Ray dashboard: it does not speak HTTP" in refusal(address)
    with serving(404) as (address, _):
        assert "is no Ray dashboard: it answers /api/version with status 404" in refusal(address)
    for body in (b"<html>", b"[]", b'{"version": 4}', b'{"ray_version": 2}', b""):
        with serving(200, body) as (address, _):
            assert "is no Ray dashboard: it answers /api/version with status 200" in refusal(address)


def test_a_cluster_of_another_version_is_named() -> None:
    with serving(200, b'{"version": "4", "ray_version": "2.9.3"}') as (address, _):
        assert f"{address} runs Ray 2.9.3, and here is Ray 2.60.0" in refusal(address)


def test_a_token_goes_only_where_it_is_asked_for() -> None:
    said: list[str] = []
    with serving(200, b'{"version": "4", "ray_version": "2.60.0"}') as (address, tokens):
        assert dashboard.headers(address, "t", said.append) == {}
        assert tokens == [None]
    assert len(said) == 1 and said[0].startswith(f"warning: {address} asks for no token: who reaches it can run anything there")
    with serving(401) as (address, tokens):
        assert "does not accept this token (the one given)" in refusal(address)
        assert tokens == [None, "Bearer t"]
    with serving(401) as (elsewhere, tokens), serving(302, Location=elsewhere) as (address, _):
        assert "status 302" in refusal(address)
        assert tokens == []
