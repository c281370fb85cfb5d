"""EASE against its definition."""

import numpy as np
import pytest

from reco_svc.domain.learning import collaborative


@pytest.mark.parametrize("size", [1, 2, 7, 38])
def test_ease_is_its_definition_however_the_inverse_is_made(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collaborative, "WHOLE", 5)
    had = (np.random.default_rng(size).random((3 * size, size)) < 0.3).astype(np.float32)
    gram = had.T @ had
    ridge = gram + (0.5 * gram.diagonal().mean() + 1e-6) * np.eye(size)
    inverse = np.linalg.inv(ridge)
    wanted = -inverse / inverse.diagonal()
    np.fill_diagonal(wanted, 0.0)
    assert np.allclose(collaborative.ease(gram.copy(), 0.5), wanted, atol=1e-4)


def test_a_row_of_ease_lies_in_one_piece_however_the_gram_matrix_does() -> None:
    gram = np.asfortranarray(np.eye(5, dtype=np.float32) + 0.1)
    assert collaborative.ease(gram, 0.5).flags.c_contiguous
