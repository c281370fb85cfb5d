"""Kernels are compiled before there is a question: none is left for a shopper to wait for."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from reco_svc.adapters.trial_index import trial_index
from reco_svc.service.compile_kernels import compile_kernels
from tests.support.compiled_kernels import compiled_later
from tests.support.reco_fakes import FakeSource, pipeline_of


def test_no_kernel_is_left_to_be_compiled_for_a_question_to_whatever_shop(tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # this one has compiled what other tests asked for
        before, later = fresh.submit(compiled_later, tmp_path).result()
    assert before > 20
    assert later == set()


def test_a_kernel_that_can_not_be_kept_in_a_file_is_asked_for_again_and_the_rest_is_not_left_out() -> None:
    source, troubles = FakeSource("own", {"p0": 1.0}), [OSError("full"), OSError("still full")]
    propose = source.propose

    def without_room(*given, **named):
        if troubles:
            raise troubles.pop(0)
        return propose(*given, **named)

    source.propose = without_room
    trouble = compile_kernels(pipeline_of(source), trial_index)
    assert str(trouble) == "still full"
    whole = FakeSource("own", {"p0": 1.0})
    assert compile_kernels(pipeline_of(whole), trial_index) is None
    assert len(source.questions) == len(whole.questions)


def test_it_ends_between_two_questions_when_it_is_told_to() -> None:
    source = FakeSource("own", {"p0": 1.0})
    compile_kernels(pipeline_of(source), trial_index, stopped=lambda: len(source.questions) == 3)
    assert len(source.questions) == 3
