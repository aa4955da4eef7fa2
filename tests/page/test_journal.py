"""The server's log: a line a call without what the visitor brought, tracebacks for faults only."""

import logging
import re

import gradio as gr
import pytest

from accomp.errors import Stopped
from page.journal import log, noted
from page.messages import NO_MELODY, refuse


@pytest.fixture
def lines(caplog, monkeypatch):
    monkeypatch.setattr(log, "propagate", True)
    caplog.set_level(logging.INFO, log.name)
    return caplog


def test_a_call_leaves_a_line_without_its_content(lines):
    assert noted(lambda text: text * 2, "double")("secret") == "secretsecret"
    assert list(noted(lambda_generator, "count")(3)) == [0, 1, 2]
    assert re.fullmatch(r"double \d\.\d\d s done", lines.messages[0])
    assert re.fullmatch(r"count \d\.\d\d s done", lines.messages[1])
    assert "secret" not in lines.text


def lambda_generator(count):
    yield from range(count)


def test_a_refusal_is_no_fault(lines):
    def handle():
        raise refuse(NO_MELODY)

    with pytest.raises(gr.Error, match="Open a melody first"):
        noted(handle, "accompany")()
    assert [record.exc_info for record in lines.records] == [None]
    assert lines.messages[0].endswith("refused")


def test_a_fault_is_logged_and_told_in_words(lines):
    def handle():
        return {}["secret of the server"]

    with pytest.raises(gr.Error, match="Something went wrong") as caught:
        noted(handle, "accompany")()
    assert "secret" not in str(caught.value) and "KeyError" in lines.text
    steps = noted(lambda_generator, "count")(3)
    next(steps)
    steps.close()
    assert lines.messages[-1].endswith("given up")


def test_what_gives_up_changes_nothing(lines):
    def once():
        raise Stopped

    def steps():
        raise Stopped
        yield

    assert noted(once, "once")() == gr.skip() and list(noted(steps, "steps")()) == [gr.skip()]
    assert list(noted(lambda_generator, "count")(0)) == [gr.skip()]
