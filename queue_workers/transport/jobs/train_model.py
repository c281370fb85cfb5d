"""Topic `train`: a training run from start to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meshkit.broker.port import Message
from queue_workers.transport.jobs.bodies import read_body, text_of


def train_model_job(train: Callable[[str], None]) -> Callable[[Sequence[Message]], None]:
    """A job that carries out the runs of a batch one after the other."""

    def job(messages: Sequence[Message]) -> None:
        for message in messages:
            train(text_of(read_body(message), "run_id"))

    return job
