"""Many files in several processes: every item has one answer, whatever one of them does to its process."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time

import pytest

from musicvae_lite.corpus.pool import Lost, each, processes


def test_every_item_is_answered_once_by_its_index() -> None:
    items = list(range(-50, 50))
    assert sorted(each(abs, items, seconds=60, workers=2)) == [(i, abs(item)) for i, item in enumerate(items)]


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(each(abs, [], seconds=60, workers=1)) == []


def test_a_file_that_takes_too_long_is_given_up_and_the_rest_is_not_lost() -> None:
    found = dict(each(time.sleep, [0, 300, 0, 0], seconds=1, workers=1))
    assert found == {0: None, 1: Lost("took over 1 s"), 2: None, 3: None}


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_file_that_kills_its_process_loses_only_itself() -> None:
    deadly, harmless = signal.SIGKILL, signal.SIGURG
    found = dict(each(signal.raise_signal, [harmless, deadly, harmless, deadly], seconds=60, workers=1))
    assert found == {0: None, 1: Lost("crashed the reader"), 2: None, 3: Lost("crashed the reader")}


def test_who_stops_asking_leaves_no_process_behind() -> None:
    with contextlib.closing(each(abs, [1, 2, 3], seconds=60, workers=1)) as results:
        next(results)
        assert multiprocessing.active_children()
    assert not multiprocessing.active_children()


def test_a_few_files_are_not_worth_a_second_process() -> None:
    assert processes(0) == processes(20) == 1
    assert processes(1_000_000) >= 1
