"""The shared recordings where they are; without them the small ones have to do."""

from pathlib import Path

import pytest


@pytest.fixture
def shared_or_none(request: pytest.FixtureRequest) -> Path | None:
    try:
        found: Path = request.getfixturevalue("shared_data")
    except pytest.skip.Exception:
        return None
    return found
