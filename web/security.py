"""What keeps strangers out until there are accounts.

The server listens on this machine only, but a browser on this machine also runs other people's
pages. So every request and every socket connect must name this machine as its Host (a page that
rebinds its DNS name to 127.0.0.1 does not), must come from our own pages where it says where it
comes from (Origin, Sec-Fetch-Site), and a request that changes something carries a CSRF token.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from flask import Flask, Request, Response, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as PlainResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
SAFE_SITES = ("", "same-origin", "none")
SECRET_BYTES = 32


class LoopbackGuard:
    """WSGI middleware in front of everything, Socket.IO included."""

    def __init__(self, wsgi_app: WSGIApplication) -> None:
        self._wsgi_app = wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on, or answer 403 with a sentence."""
        refusal = refuse(environ)
        if refusal is None:
            return self._wsgi_app(environ, start_response)
        answer = PlainResponse(f"{refusal}\n", 403, mimetype="text/plain")
        return answer(environ, start_response)


def refuse(environ: WSGIEnvironment) -> str | None:
    """Why this request may not come in, or None.

    >>> own = {"SERVER_PORT": "8765", "HTTP_HOST": "localhost:8765"}
    >>> refuse(own), refuse(own | {"HTTP_ORIGIN": "http://localhost:8765"})
    (None, None)
    >>> refuse(own | {"HTTP_HOST": "rebound.example:8765"})
    'This address is not served here. Open http://127.0.0.1:8765/ instead.'
    >>> refuse(own | {"HTTP_ORIGIN": "https://evil.example"})
    'This request comes from another site, so it was refused.'
    """
    port = str(environ.get("SERVER_PORT", ""))
    host = environ.get("HTTP_HOST", "").lower()
    if host not in _own_hosts(port):
        return f"This address is not served here. Open http://127.0.0.1:{port}/ instead."
    origin = environ.get("HTTP_ORIGIN", "").lower()
    is_foreign = bool(origin) and origin != f"http://{host}"
    if is_foreign or _is_foreign_fetch(environ):
        return "This request comes from another site, so it was refused."
    return None


def _own_hosts(port: str) -> set[str]:
    hosts = {f"{name}:{port}" for name in LOOPBACK_NAMES}
    return hosts | set(LOOPBACK_NAMES) if port == "80" else hosts


def _is_foreign_fetch(environ: WSGIEnvironment) -> bool:
    """Whether another site's page fetches or embeds us; following a link to us is fine."""
    is_own = environ.get("HTTP_SEC_FETCH_SITE", "") in SAFE_SITES
    is_link = environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
    return not is_own and not (is_link and environ.get("REQUEST_METHOD") == "GET")


def protect(app: Flask, home: Path) -> None:
    """Cookies, CSRF token and headers; the guard is put in front by `create_app`."""
    secret = web_secret(home)
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME=f"attendance_{hashlib.sha256(secret).hexdigest()[:8]}",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        WTF_CSRF_TIME_LIMIT=None,
    )
    CSRFProtect(app)
    app.after_request(add_headers)


def web_secret(home: Path) -> bytes:
    """The key of this school's cookies, made at first use and readable by its owner only."""
    path = home / "web.secret"
    secret = path.read_bytes() if path.exists() else b""
    if len(secret) == SECRET_BYTES:
        return secret
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
    fresh.replace(path)
    return path.read_bytes()


def add_headers(response: Response) -> Response:
    """Headers that keep a page to itself; only unchanging files may be kept by the browser."""
    headers = response.headers
    headers["Content-Security-Policy"] = _content_security_policy(request.host)
    headers["X-Frame-Options"] = "DENY"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"  # with "no-referrer" our forms send Origin: null
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if request.endpoint != "static":
        headers["Cache-Control"] = "no-store"
    return response


def _content_security_policy(host: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            f"connect-src 'self' ws://{host}",
            "font-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


class InMemoryRequest(Request):
    """Keeps uploaded photos in memory: a face never touches the disk in clear."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return BytesIO()
