"""Peers learn planted habits, and are asked what the mesh is asked."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from bench.peers.__main__ import PEERS
from bench.peers.material import of_task, validation
from bench.peers.model import Peer
from bench.peers.tuning import LENGTH, answer
from reco_svc.domain.learning.metrics import metric_values
from reco_svc.service.evaluation_folder import read_task
from tests.support.made_task import write_made_task


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_task(tmp_path_factory.mktemp("task") / "made", sessions=200, questions=30)


@pytest.mark.parametrize("peer", PEERS, ids=[peer.name for peer in PEERS])
def test_a_peer_finds_what_belongs_together(peer: Peer, folder: Path) -> None:
    if "implicit" in peer.name and importlib.util.find_spec("implicit") is None:
        pytest.skip('needs the extra "bench"')
    material, asked = of_task(read_task(folder))
    choice = {name: values[0] for name, values in {**peer.training, **peer.asking}.items()}
    lists = answer(peer.fit(material, choice), choice, material, asked)
    found = metric_values([rows.tolist() for rows in lists], asked.relevant)["recall@20"]
    assert found < 0.8 if peer.name == "popularity" else found > 0.9
    for rows, excluded in zip(lists, asked.excluded, strict=True):
        assert len(rows) == len(set(rows.tolist())) <= LENGTH
        assert not np.isin(rows, excluded).any()


def test_peers_are_tuned_on_sessions_inside_the_training_events(folder: Path) -> None:
    task = read_task(folder)
    whole, _ = of_task(task)
    early, known = validation(whole, task)
    assert 0 < len(early.events) < len(whole.events)
    assert early.events.at_s.max() < whole.events.at_s.max()
    assert len(known.ids) == 20  # a tenth of the sessions
