"""Runs import jobs one after the other, in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import structlog

from catalog_svc.domain.model import ImportJob
from catalog_svc.domain.ports import ImportJobRepository
from catalog_svc.service.import_jobs import STALE_AFTER, ImportRun, new_job, run_import
from catalog_svc.transport.admin.feed_lines import FeedFile
from catalog_svc.transport.catalog import Catalog
from feeds.products import PRODUCT_FORMATS
from meshkit.errors import InvalidArgument

log = structlog.get_logger()


class ImportRunner:
    """Takes files that stand in `folder` and deletes each when its job has ended."""

    def __init__(self, catalog: Catalog, jobs: ImportJobRepository, *, folder: Path, owner: str) -> None:
        self.jobs = jobs
        self.folder = folder
        self.clock: Callable[[], datetime] = catalog.clock
        self._catalog = catalog
        self._owner = owner
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="import")

    def recover(self) -> None:
        """Marks what an earlier process of this machine left unfinished, and removes its files."""
        now = self.clock()
        interrupted = self.jobs.interrupt(self._owner, stale_before=now - STALE_AFTER, now=now)
        if interrupted:
            log.warning("imports_interrupted", count=interrupted)
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob("*.upload"):
            left.unlink(missing_ok=True)

    def submit(self, path: Path, *, filename: str, format: str, currency: str) -> ImportJob:
        """Queues a file; the runner owns it from here on."""
        check_import(format, currency)
        job = new_job(
            self.jobs,
            filename=_shown(filename),
            format=format,
            total_bytes=path.stat().st_size,
            owner=self._owner,
            now=self.clock(),
        )
        self._pool.submit(self._run, job, path, format, currency)
        return job

    def stop(self) -> None:
        """Lets the running job end after its batch; what waits is marked as interrupted at the next start."""
        self._stopping.set()
        self._pool.shutdown(cancel_futures=True)

    def _run(self, job: ImportJob, path: Path, format: str, currency: str) -> None:
        feed = FeedFile(path, format, currency)
        run = ImportRun(
            products=self._catalog.products,
            jobs=self.jobs,
            clock=self.clock,
            changed=self._catalog.changed,
            done_bytes=feed.done_bytes,
            stopped=self._stopping.is_set,
        )
        try:
            run_import(run, job, feed.lines)
        except Exception:
            log.error("import_broken", job_id=job.job_id, exc_info=True)
            raise
        finally:
            feed.close()
            path.unlink(missing_ok=True)


def check_import(format: str, currency: str) -> None:
    """Refuses (InvalidArgument) a format or a currency that does not exist."""
    if format not in PRODUCT_FORMATS:
        raise InvalidArgument.of("format", f"must be one of {', '.join(PRODUCT_FORMATS)}")
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise InvalidArgument.of("currency", 'must be three capital letters (ISO 4217) such as "EUR", or empty')


def _shown(filename: str) -> str:
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(c for c in name.encode(errors="replace").decode() if c.isprintable())
    return printable[:200] or "unnamed"
