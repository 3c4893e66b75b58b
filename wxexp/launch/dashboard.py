"""The door of a Ray cluster: is there one at this address, of our version, and which token opens it?

The token is sent only where it is asked for. Ray's HTTP clients have no time limit; this has one.
"""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from wxexp.config.tree import ConfigError

TIMEOUT = 7.0
"""Seconds for an answer; there are at most two questions."""


def headers(address: str, token: str | None, say: Callable[[str], None]) -> Mapping[str, str]:
    """HTTP headers that the dashboard at `address` accepts.

    Args:
        address: http(s)://HOST:PORT.
        token: None: as Ray finds it, see `found_token`.
        say: told if the cluster is open to everybody.

    Raises:
        ConfigError: it cannot be reached, is no dashboard, wants another token, or runs another version of Ray.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.path.strip("/"):
        raise ConfigError(f"address must be that of a Ray dashboard, such as http://127.0.0.1:8265, got {address!r}")
    accepted: dict[str, str] = {}
    status, body = _version(address, accepted)
    if status == 401:
        token, where = (token, "the one given") if token else found_token(address)
        accepted = {"Authorization": f"Bearer {token}"}
        status, body = _version(address, accepted)
        if status in (401, 403):
            raise ConfigError(f"{address} does not accept this token ({where}); the right one: `ray get-auth-token` on the cluster's head")
    elif status == 200:
        say(f"warning: {address} asks for no token: who reaches it can run anything there; start it with RAY_AUTH_MODE=token")
    _check_version(address, status, body)
    return accepted


def found_token(address: str) -> tuple[str, str]:
    """A token and where it is from: $RAY_AUTH_TOKEN, else the file $RAY_AUTH_TOKEN_PATH, else ~/.ray/auth_token."""
    if token := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return token, "of $RAY_AUTH_TOKEN"
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    try:
        token = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        token = ""
    if not token:
        raise ConfigError(
            f"{address} wants a token, and there is none in $RAY_AUTH_TOKEN or {file}; "
            "the right one: `ray get-auth-token` on the cluster's head"
        )
    return token, f"of {file}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token does not follow a redirection to another host."""

    def redirect_request(self, *_: object) -> None:
        return None


def _version(address: str, sent: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of the dashboard's answer to what it is."""
    request = urllib.request.Request(f"{address.rstrip('/')}/api/version", headers=dict(sent))
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
            return answer.status, answer.read(65536)
    except urllib.error.HTTPError as error:
        return error.code, b""
    except TimeoutError as error:
        raise ConfigError(f"{address} does not answer within {TIMEOUT:.0f} s; {_ADVICE}") from error
    except (http.client.HTTPException, ConnectionResetError) as error:
        raise ConfigError(f"{address} is no Ray dashboard: it does not speak HTTP; {_ADVICE}") from error
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise ConfigError(f"{address} does not answer within {TIMEOUT:.0f} s; {_ADVICE}") from error
        raise ConfigError(f"{address} cannot be reached: {getattr(reason, 'strerror', None) or reason}; {_ADVICE}") from error


_ADVICE = "the address is that of the dashboard (port 8265), forwarded with `ssh -L 8265:127.0.0.1:8265 HEAD` if the cluster is elsewhere"


def _check_version(address: str, status: int, body: bytes) -> None:
    try:
        theirs = json.loads(body)["ray_version"] if status == 200 else None
    except (ValueError, KeyError, TypeError):
        theirs = None
    if not isinstance(theirs, str):
        raise ConfigError(f"{address} is no Ray dashboard: it answers /api/version with status {status}; {_ADVICE}")
    ours = version("ray")
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        raise ConfigError(f"{address} runs Ray {theirs}, and here is Ray {ours}; install Ray {ours} there, or start that cluster from here")
