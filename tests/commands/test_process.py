"""What a command asks of its process."""

import gc

import pytest

from dashboard.commands.process import BULK_THRESHOLD, rare_collections


def test_after_bulk_work_garbage_is_searched_for_as_before() -> None:
    before = gc.get_threshold()
    with pytest.raises(OSError), rare_collections():
        assert gc.get_threshold()[0] == BULK_THRESHOLD
        raise OSError
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
