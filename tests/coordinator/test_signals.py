"""Signals as wishes: the first is noted while trials run, any other raises, and none is lost or shown as a traceback."""

from __future__ import annotations

import os
import signal
import sys
import weakref

import pytest

from automl.coordinator.loop import StopRequest
from automl.coordinator.signals import stop_on_signals
from automl.errors import Stopped


def test_the_first_is_noted_and_said_the_second_raises() -> None:
    stop, said = StopRequest(tidy=True), list[str]()
    with stop_on_signals(stop, said.append):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.exit_code == 130
        with pytest.raises(Stopped) as caught:
            os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.exit_code == 143
    assert said == ["stopping after what is running has been saved; again to stop now"]


def test_outside_of_the_loop_the_first_one_raises() -> None:
    with stop_on_signals(StopRequest(), lambda text: None), pytest.raises(Stopped):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_that_falls_into_a_finaliser_is_noted_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """`import` runs such callbacks all the time."""

    class Thing:
        pass

    shown: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", shown.append)
    stop, thing = StopRequest(), Thing()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    with stop_on_signals(stop, lambda text: None):
        del thing
    assert reference() is None
    assert stop.exit_code == 130
    assert shown == []
