"""Settings of the queue workers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from meshkit.settings import MeshSettings


def _must(pattern: str, such_as: str) -> AfterValidator:
    """The whole text fits `pattern`; the error shows one that does."""

    def checked(given: str) -> str:
        if not re.fullmatch(pattern, given):
            raise ValueError(f"must be such as {such_as}")
        return given

    return AfterValidator(checked)


class WorkerSettings(MeshSettings):
    """What the queue workers need to know."""

    worker_embedder: Literal["auto", "minilm", "lsa"] = Field(
        "auto", description="auto: MiniLM where torch and the weights are installed, else TF-IDF + SVD (lsa)."
    )
    worker_weights: Path | None = Field(
        None, description="Folder of all-MiniLM-L6-v2; empty: the installed package, then the local model cache."
    )
    worker_events_batch: int = Field(500, ge=1, le=10_000, description="Messages of events written in one transaction.")
    worker_events_consumers: int = Field(
        1, ge=1, le=16, description="Batches of events written at once; more than 1 helps with PostgreSQL only."
    )
    worker_keep_snapshots: int = Field(5, ge=2, le=1_000, description="Snapshots kept besides the active one.")
    worker_engine: Literal["local", "spark"] = Field(
        "local", description="What counts the log in a training: this process, or Apache Spark."
    )
    worker_spark_master: Annotated[
        str, _must(r"local(\[[\d*,]+\])?|yarn|(spark|k8s)://.+", "local[2] or spark://host:7077")
    ] = Field("local[*]", description="Where Spark runs: local[*], spark://host:7077, k8s://…")
    worker_spark_folder: Path | None = Field(
        None, description="Folder for the log while Spark reads it, which all executors share; empty: a temporary one."
    )
    worker_spark_memory: Annotated[str, _must(r"[1-9]\d*[kmgt]", "900m or 2g")] = Field(
        "2g", description="Memory of Spark's driver; with a local master, of all of it."
    )
    worker_near_duplicate: float = Field(
        0.97,
        ge=0.5,
        le=1.01,
        description="Cosine of two texts from which products under nearly one title are near-duplicates, of which a "
        "list shows one; 1.01: never.",
    )
    worker_quality_margin: float = Field(
        0.1, ge=0, le=1, description="Share of NDCG@10 that a new model may lose and still be activated."
    )
