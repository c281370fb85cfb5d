"""Import jobs over HTTP: send a file, watch it, fetch what was refused."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from starlette.datastructures import UploadFile

from catalog_svc.domain.model import ImportJob
from catalog_svc.service.import_jobs import get_job, latest_jobs
from catalog_svc.transport.admin.import_runner import ImportRunner, check_import
from catalog_svc.transport.admin.shapes import Json, job_of
from feeds.products import PRODUCT_FORMATS
from meshkit.errors import InvalidArgument
from meshkit.process import blocking

SHOWN_JOBS = 50
_CHUNK_BYTES = 1 << 20
_LINES_AT_ONCE = 1_000
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "format": {"type": "string", "enum": list(PRODUCT_FORMATS)},
            "currency": {"type": "string"},
        },
    }
}
_UPLOAD = {
    "requestBody": {"required": True, "content": {"application/octet-stream": _BINARY, "multipart/form-data": _FORM}}
}


def imports_api(runner: ImportRunner) -> APIRouter:
    """Routes below /v1/imports."""
    router = APIRouter(prefix="/v1/imports", tags=["imports"])

    @router.post(
        "",
        status_code=202,
        summary="Send a product file (the body itself, or a form with the field `file`); answers its job",
        openapi_extra=_UPLOAD,
    )
    async def send(
        request: Request,
        format: Annotated[str, Query(description=", ".join(PRODUCT_FORMATS))] = "auto",
        currency: Annotated[str, Query(description="For prices without one")] = "",
        filename: str = "",
    ) -> Json:
        return job_of(await receive_file(runner, request, format=format, currency=currency, filename=filename))

    @router.get("", summary="The latest 50 jobs, newest first")
    def jobs() -> Json:
        return {"imports": [job_of(job) for job in latest_jobs(runner.jobs, SHOWN_JOBS, runner.clock())]}

    @router.get("/{import_id}", summary="One job with its progress")
    def job(import_id: str) -> Json:
        return job_of(get_job(runner.jobs, import_id, runner.clock()))

    @router.get("/{import_id}/rejected", summary="Refused lines as JSON Lines: line, reason, raw")
    def rejected(import_id: str) -> StreamingResponse:
        found = get_job(runner.jobs, import_id, runner.clock())
        headers = {"Content-Disposition": f'attachment; filename="rejected-{found.job_id}.jsonl"'}
        return StreamingResponse(_rejected_lines(runner, found), media_type="application/x-ndjson", headers=headers)

    return router


async def receive_file(
    runner: ImportRunner, request: Request, *, format: str = "auto", currency: str = "", filename: str = ""
) -> ImportJob:
    """Spools the upload of a request to disk and queues its job; fields of a form go before those of the query."""
    check_import(format, currency)
    path = await blocking(_new_file, runner.folder)
    try:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with request.form(max_files=1, max_fields=10) as form:
                upload = form.get("file")
                if not isinstance(upload, UploadFile) or not upload.filename:
                    raise InvalidArgument.of("file", "choose a file to import")
                format, currency = str(form.get("format") or format), str(form.get("currency") or currency).strip()
                filename = upload.filename
                check_import(format, currency)
                await blocking(_copy, upload, path)
        else:
            with path.open("wb") as target:
                async for chunk in request.stream():
                    target.write(chunk)
        if not path.stat().st_size:
            raise InvalidArgument.of("file", "is empty; send the products as the body or as the form field `file`")
        return await blocking(_submit, runner, path, filename, format, currency)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _submit(runner: ImportRunner, path: Path, filename: str, format: str, currency: str) -> ImportJob:
    return runner.submit(path, filename=filename, format=format, currency=currency)


def _new_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".upload", delete=False) as made:
        return Path(made.name)


def _copy(upload: UploadFile, path: Path) -> None:
    with path.open("wb") as target:
        while chunk := upload.file.read(_CHUNK_BYTES):
            target.write(chunk)


def _rejected_lines(runner: ImportRunner, job: ImportJob) -> Iterator[bytes]:
    line = 0
    while found := runner.jobs.rejected(job.job_id, after_line=line, limit=_LINES_AT_ONCE):
        for entry in found:
            yield orjson.dumps({"line": entry.line, "reason": entry.reason, "raw": entry.raw}) + b"\n"
        line = found[-1].line
