"""The web application: Dash draws the hall's page, Flask serves its frames, heartbeats and health.

Each page is a Dash application of its own below its address, on one Flask server: the layout then knows its page
without asking the browser. Reads from a feed; never from Redis or files, but for its own assets.
"""

import html
import secrets
from collections.abc import Iterator

import dash
from dash.development.base_component import Component
from flask import Flask, Response, abort, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from dashboard.core.days import Zone
from dashboard.errors import WallboardError
from dashboard.web.compress import Compressor
from dashboard.web.feed import Feed
from dashboard.web.health import reasons
from dashboard.web.security import secure
from dashboard.web.settings import WebSettings
from dashboard.web.stream import HUB, Hub
from dashboard.web.version import assets_folder, version
from layouts.frame import Frame
from layouts.hall import hall_frame, hall_layout
from layouts.text import speaker

_INDEX = """<!DOCTYPE html>
<html lang="{language}">
  <head>{{%metas%}}<title>{{%title%}}</title>{{%favicon%}}{{%css%}}</head>
  <body>{{%app_entry%}}{{%config%}}{{%scripts%}}{{%renderer%}}</body>
</html>"""
_ERROR = """<!DOCTYPE html>
<html lang="{language}">
  <head><meta charset="utf-8"><title>{code}</title></head>
  <body style="background:#0e141b;color:#e9eef4;font:28px sans-serif;margin:18vh 10vw">
    <p>{code}</p><h1>{text}</h1><p><a style="color:#56b4e9" href="/hall">{back}</a></p>
  </body>
</html>"""


def make_app(feed: Feed, settings: WebSettings) -> dash.Dash:
    """Make the application; nothing runs yet, see `start`.

    Args:
        feed: Where views come from.
        settings: Of the web process.

    Returns:
        The hall's Dash application; its `server` is the Flask one that serves everything.
    """
    zone = Zone(settings.zone)
    server = Flask("wallboard")

    def frame() -> Frame:
        return hall_frame(feed.hall(), zone)

    def layout() -> Component:
        try:
            return hall_layout(feed.hall(), zone)
        except WallboardError:
            # Nothing to draw; the script finds no page and asks for it again.
            return dash.html.Div()

    build = version(settings)
    hub = Hub(feed, {"hall": frame}, build)
    app = dash.Dash(
        "wallboard",
        server=server,  # type: ignore[arg-type]  # Dash takes a Flask; its annotation forgets to say so
        routes_pathname_prefix="/hall/",
        requests_pathname_prefix="/hall/",
        assets_folder=str(assets_folder()),
        title=html.escape(settings.name),
        update_title="",
        suppress_callback_exceptions=True,  # else the index carries a copy of the first layout
        index_string=_INDEX.format(language=settings.language),
        meta_tags=[
            {"name": "wallboard-page", "content": "hall"},
            {"name": "wallboard-version", "content": build},
        ],
        add_log_handler=False,
    )
    app.layout = layout
    server.extensions[HUB] = hub
    # Without the slash too: this is the address that a kiosk's owner types.
    server.add_url_rule("/hall", "hall", app.index)
    server.add_url_rule("/", "root", lambda: redirect("/hall"))
    _add_frames(server, hub)
    _add_health(server, feed)
    _add_errors(server, settings)
    server.after_request(secure(app.csp_hashes(), settings.frame_ancestors))
    server.after_request(Compressor())
    return app


def hub_of(app: dash.Dash) -> Hub:
    """The hub of an application."""
    hub = app.server.extensions[HUB]
    assert isinstance(hub, Hub)
    return hub


def _add_frames(server: Flask, hub: Hub) -> None:
    run = secrets.token_hex(4)  # frame numbers begin again with each process

    @server.get("/stream/<page>")
    def stream(page: str) -> Response:
        if page not in hub.pages():
            abort(404)
        _watch_the_line(request.environ.get("gunicorn.socket"))
        events: Iterator[bytes] = hub.watch(page)
        response = Response(events, mimetype="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        return response

    @server.get("/frame/<page>")
    def newest(page: str) -> BaseResponse:
        if page not in hub.pages():
            abort(404)
        built = hub.now(page)
        if built is None:
            abort(503)
        response = Response(built.whole(), mimetype="application/json")
        response.set_etag(f"{run}-{built.number}")
        answer = response.make_conditional(request)
        answer.headers["Wallboard-Beat"] = _ascii(hub.heartbeat(page))
        return answer


def _watch_the_line(line: object) -> None:
    """A screen that lost its power says no good-bye: give it up after 20 s, and keep little under way to a slow one."""
    import socket

    if isinstance(line, socket.socket) and line.family != getattr(socket, "AF_UNIX", None):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000)


def _ascii(json: bytes) -> str:
    """JSON as a header may hold it; escapes are JSON's own."""
    return "".join(
        c if c.isascii() else "".join(f"\\u{unit:04x}" for unit in _units(c)) for c in json.decode()
    )


def _units(c: str) -> Iterator[int]:
    encoded = c.encode("utf-16-be")
    for at in range(0, len(encoded), 2):
        yield int.from_bytes(encoded[at : at + 2], "big")


def _add_health(server: Flask, feed: Feed) -> None:
    @server.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @server.get("/readyz")
    def readyz() -> tuple[dict[str, object], int]:
        beat = feed.beat()
        found = reasons(beat)
        return {"ready": not found, "reasons": found, "ages": beat.ages}, 503 if found else 200


def _add_errors(server: Flask, settings: WebSettings) -> None:
    say = speaker(settings.language)

    @server.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        code = error.code or 500
        return _page(code, "error.404" if code == 404 else "error.500" if code >= 500 else "error.other")

    @server.errorhandler(500)
    def failed(error: Exception) -> tuple[str, int]:
        return _page(500, "error.500")

    def _page(code: int, key: str) -> tuple[str, int]:
        text = _ERROR.format(
            language=settings.language,
            code=code,
            text=html.escape(say(key)),
            back=html.escape(say("error.back")),
        )
        return text, code
