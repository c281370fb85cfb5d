"""A session of Apache Spark while a context is open."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshkit.errors import FailedPrecondition

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

QUIET = """rootLogger.level = error
rootLogger.appenderRef.err.ref = err
appender.err.type = Console
appender.err.name = err
appender.err.target = SYSTEM_ERR
appender.err.layout.type = PatternLayout
appender.err.layout.pattern = spark: %p %c{1}: %m%n
"""  # the progress of a training is shown where Spark would write


@dataclass(frozen=True, slots=True)
class SparkSettings:
    """`master` as Spark knows it (local[*], spark://host:7077, k8s://…); `folder` is one that executors read too, None:
    a temporary one, for local masters; `memory` of the driver, which in local mode is all there is."""

    master: str = "local[*]"
    folder: Path | None = None
    memory: str = "2g"
    partitions: int = 0  # of a shuffle; 0: two for each core of a local master, Spark's own number elsewhere
    options: Mapping[str, str] = field(default_factory=dict)  # more of Spark's own


@contextmanager
def spark_session(settings: SparkSettings, folder: Path) -> Iterator[SparkSession]:
    """FailedPrecondition (ENGINE_FAILED) when Spark does not start. `folder` takes the rules of its log."""
    from pyspark.sql import SparkSession

    builder: Any = SparkSession.builder
    local = re.fullmatch(r"local(?:\[(\d+|\*)\])?", settings.master)
    cores = (os.cpu_count() or 1) if local and local[1] == "*" else int((local and local[1]) or 1)
    options = {
        "spark.master": settings.master,
        "spark.app.name": "recomesh train",
        "spark.driver.memory": settings.memory,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if local:
        options |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if "SPARK_CONF_DIR" not in os.environ:  # who has rules of their own is told as much as they say
        (folder / "log4j2.properties").write_text(QUIET)
        options["spark.driver.extraJavaOptions"] = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
    if settings.partitions or local:
        options["spark.sql.shuffle.partitions"] = str(settings.partitions or 2 * cores)
    for name, value in {**options, **settings.options}.items():
        builder = builder.config(name, value)
    try:
        spark: SparkSession = builder.getOrCreate()
    except Exception as error:  # of Java, of py4j, or of pyspark
        lines = str(error).splitlines() or [type(error).__name__]
        told = next((line for line in lines if line.startswith(": ")), lines[0]).lstrip(": ")  # Java's own word
        asked = (
            f"RECOMESH_WORKER_SPARK_MASTER {settings.master!r} with RECOMESH_WORKER_SPARK_MEMORY {settings.memory!r}"
        )
        raise FailedPrecondition(f"Spark did not start on {asked}: {told}", reason="ENGINE_FAILED") from error
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    finally:
        spark.stop()
