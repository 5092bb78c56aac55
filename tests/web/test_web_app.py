"""The application's addresses: what they answer, with which headers, and what never leaves."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import dash
import pytest
from flask.testing import FlaskClient

from dashboard.errors import StoreUnavailable
from dashboard.web.app import hub_of, make_app
from dashboard.web.settings import WebSettings
from dashboard.web.version import assets_folder, version
from tests.web.fake_feed import FakeFeed, hall, hostile, unknown

SETTINGS = WebSettings(name="福州12366", zone="Asia/Shanghai")


@pytest.fixture
def feed() -> FakeFeed:
    return FakeFeed(hall())


@pytest.fixture
def app(feed: FakeFeed) -> Iterator[dash.Dash]:
    app = make_app(feed, SETTINGS)
    yield app
    hub_of(app).stop()


@pytest.fixture
def client(app: dash.Dash) -> FlaskClient:
    return app.server.test_client()


def test_the_root_leads_to_the_hall(client: FlaskClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (302, "/hall")
    assert client.get("/hall").status_code == 200
    assert client.get("/hall/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/hall", "/healthz", "/readyz", "/frame/hall", "/nothing", "/hall/_dash-layout"]
)
def test_every_answer_is_guarded(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert re.fullmatch(r"'self'( 'sha256-[\w+/=]+')+", policy["script-src"])
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert (policy["object-src"], policy["base-uri"]) == ("'none'", "'self'")
    assert policy["frame-ancestors"] == "'self'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_page_loads_only_from_here_and_no_plotly(client: FlaskClient) -> None:
    page = client.get("/hall").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert all(source.startswith("/hall/") for source in sources)
    assert not any("plotly" in source or "graph" in source for source in sources)
    assert [
        source for source in sources if "/assets/" in source and source.split("?")[0].endswith(".js")
    ] == [source for source in sources if re.search(r"/assets/\d\d-\w+\.js\?", source)]
    assert f'<meta name="wallboard-version" content="{version(SETTINGS)}">' in page


def test_the_index_carries_no_names(client: FlaskClient) -> None:
    assert "validation_layout" not in client.get("/hall").text


def test_the_layout_is_drawn_from_the_view_of_this_moment(client: FlaskClient, feed: FakeFeed) -> None:
    feed.change(answers_today=987)
    layout = json.dumps(client.get("/hall/_dash-layout").json)
    assert '"987"' in layout
    assert client.get("/hall/_dash-layout").headers["Cache-Control"] == "no-store"


def test_the_stream_begins_with_a_heartbeat_and_a_whole_frame(client: FlaskClient) -> None:
    answer = client.get("/stream/hall", buffered=False)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    first = next(iter(answer.response)).decode()  # type: ignore[arg-type]
    assert re.fullmatch(r"event: beat\ndata: \{.*\}\n\nevent: frame\ndata: \{.*\}\n\n", first)
    answer.close()


def test_who_polls_is_told_when_nothing_changed_and_hears_the_heart_in_any_case(client: FlaskClient) -> None:
    first = client.get("/frame/hall")
    beat = json.loads(first.headers["Wallboard-Beat"])
    assert beat["ages"] == {"pbx1": 0.3}
    assert first.json is not None
    assert first.json["text"]["tile-cumulative-figure"] == "155"
    again = client.get("/frame/hall", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert json.loads(again.headers["Wallboard-Beat"])["version"] == version(SETTINGS)


def test_a_tag_of_another_process_is_not_this_ones(client: FlaskClient, feed: FakeFeed) -> None:
    tag = client.get("/frame/hall").headers["ETag"]
    other = make_app(feed, SETTINGS).server.test_client()
    assert other.get("/frame/hall", headers={"If-None-Match": tag}).status_code == 200


def test_a_source_with_any_name_fits_into_a_header(feed: FakeFeed) -> None:
    feed.show(hostile())
    client = make_app(feed, SETTINGS).server.test_client()
    beat = json.loads(client.get("/frame/hall").headers["Wallboard-Beat"])
    assert set(beat["ages"]) == {source.name for source in hostile().sources}


@pytest.mark.parametrize("path", ["/stream/other", "/frame/other", "/nothing", "/assets/../pyproject.toml"])
def test_what_is_not_there_is_said_in_plain_words(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text
    english = make_app(
        FakeFeed(hall()), WebSettings(name="x", zone="UTC", language="en")
    ).server.test_client()
    assert "There is no such page" in english.get(path).text


def test_a_mistake_of_ours_shows_no_traceback(client: FlaskClient, feed: FakeFeed) -> None:
    feed.broken = RuntimeError("secret detail")
    answer = client.get("/hall/_dash-layout")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_frame_that_cannot_be_built_yet_is_not_found_ready(feed: FakeFeed, client: FlaskClient) -> None:
    feed.broken = StoreUnavailable("away")
    assert client.get("/frame/hall").status_code == 503


def test_health_is_about_serving_and_readiness_about_the_data(client: FlaskClient, feed: FakeFeed) -> None:
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"ready": True, "reasons": [], "ages": {"pbx1": 0.3}})
    feed.store_ok = False
    feed.show(unknown("rebuilding"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert [reason["code"] for reason in answer.json["reasons"]] == ["store", "rebuilding", "unread"]
    assert client.get("/healthz").status_code == 200


def test_what_is_large_is_sent_in_gzip_to_whoever_takes_it(client: FlaskClient) -> None:
    path = re.findall(r'src="([^"]+dash_renderer[^"]+)"', client.get("/hall").text)[0]
    plain = client.get(path)
    small = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data
    assert len(small.data) < len(plain.data) / 3
    assert client.get(path, headers={"Accept-Encoding": "gzip"}).data == small.data
    with client.get("/hall/assets/10-draw.js", headers={"Accept-Encoding": "gzip"}) as script:
        assert gzip.decompress(script.data) == (assets_folder() / "10-draw.js").read_bytes()
    assert "Content-Encoding" not in client.get("/healthz", headers={"Accept-Encoding": "gzip"}).headers


def test_the_version_changes_with_the_settings_and_not_with_time() -> None:
    other = WebSettings(name="福州12366", zone="Asia/Shanghai", language="en")
    assert version(SETTINGS) == version(SETTINGS)
    assert version(SETTINGS) != version(other)


def test_scripts_keep_to_what_the_policy_and_the_clock_allow() -> None:
    said = "".join(file.read_text() for file in Path(assets_folder()).glob("*.js"))
    code = re.sub(r"/\*.*?\*/", "", said, flags=re.DOTALL)
    for never in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "Date",
    ):
        assert never not in code
