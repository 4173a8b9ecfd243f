"""Nobody but our own pages on this machine gets in."""

import stat

import pytest

from web import create_app

OWN = "127.0.0.1:8765"
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"

REQUESTS = [
    # headers, status, why
    ({"Host": OWN}, 200, "typed into the address bar"),
    ({"Host": "localhost:8765"}, 200, "the other name of this machine"),
    ({"Host": "[::1]:8765"}, 200, "and its IPv6 one"),
    ({"Host": OWN, "Origin": f"http://{OWN}"}, 200, "our own page asks"),
    ({"Host": OWN, "Origin": "http://localhost:8765"}, 403, "a page under our other name asks"),
    ({"Host": "127.0.0.1:9999"}, 403, "the port of another program"),
    ({"Host": "127.0.0.1"}, 403, "no port is port 80, which is not ours"),
    ({"Host": "attacker.example:8765"}, 403, "a DNS name rebound to 127.0.0.1"),
    ({"Host": "127.0.0.1.attacker.example:8765"}, 403, "a name that only begins like ours"),
    ({"Host": ""}, 403, "no host at all"),
    ({"Host": OWN, "Origin": "https://attacker.example"}, 403, "another site's page asks"),
    ({"Host": OWN, "Origin": "http://127.0.0.1:9999"}, 403, "another program's page asks"),
    ({"Host": OWN, "Origin": "https://127.0.0.1:8765"}, 403, "we serve no https"),
    ({"Host": OWN, "Origin": "null"}, 403, "a sandboxed frame or a local file asks"),
    (
        {"Host": OWN, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        403,
        "another site embeds us as an image, which sends no Origin",
    ),
    (
        {"Host": OWN, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        200,
        "a link to us is followed",
    ),
]


@pytest.mark.parametrize("path", ["/", "/api/sessions", HANDSHAKE], ids=["page", "api", "socket"])
@pytest.mark.parametrize(("headers", "status", "why"), REQUESTS, ids=[r[2] for r in REQUESTS])
def test_every_door_looks_at_host_and_origin(browser, path, headers, status, why):
    answer = browser.get(path, headers=headers)
    assert answer.status_code == status, why
    if status == 403:
        assert answer.get_data(as_text=True).rstrip().endswith(".")


def test_a_websocket_handshake_from_another_site_is_refused(browser):
    """Browsers do not apply the same-origin rule to WebSockets: the server has to."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": "https://attacker.example",
    }
    answer = browser.get("/socket.io/?EIO=4&transport=websocket", headers=upgrade)
    assert answer.status_code == 403


@pytest.mark.parametrize("header", [{}, {"X-CSRFToken": "made-up"}], ids=["none", "wrong"])
def test_a_change_without_the_pages_token_is_refused(browser, room, header):
    data = {"code": "X1", "name": "Physics", "timezone": "UTC"}
    answer = browser.client.post("/courses", data=data, base_url=f"http://{OWN}", headers=header)
    assert answer.status_code == 403
    assert "reload" in answer.get_data(as_text=True)
    assert [course.code for course in room.school.sessions.courses()] == ["BIO-101"]


def test_the_api_wants_the_token_too(browser, room):
    session = room.open()
    answer = browser.client.post(f"/api/sessions/{session.id}/pause", base_url=f"http://{OWN}")
    assert answer.status_code == 403
    assert answer.json["message"].endswith(".")
    assert browser.post(f"/api/sessions/{session.id}/pause").json["state"] == "paused"


def test_pages_keep_to_themselves(browser):
    headers = browser.get("/courses").headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' ws://{OWN}"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    cookie = headers["Set-Cookie"]
    assert "SameSite=Strict" in cookie
    assert "HttpOnly" in cookie


def test_the_cookie_key_is_the_owners_and_stays(school, app):
    path = school.home / "web.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert create_app(school, testing=True).config["SECRET_KEY"] == app.config["SECRET_KEY"]
    path.write_bytes(b"cut off")
    assert len(create_app(school, testing=True).config["SECRET_KEY"]) == 32
