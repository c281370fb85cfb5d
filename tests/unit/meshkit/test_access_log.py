import io
import json

from meshkit.access_log import MOST_LINES, AccessLog


async def test_lines_are_json_with_every_field_and_wait_until_they_are_flushed():
    stream = io.StringIO()
    log = AccessLog("edge", stream)
    log.line("id-1", "GET", "/v1/popular?ü", 200, 1.23456, "127.0.0.1")
    assert stream.getvalue() == ""
    log.flush()
    line = json.loads(stream.getvalue())
    stamp = line.pop("timestamp")
    assert stamp.endswith("Z")
    assert len(stamp) == len("2026-01-01T00:00:00.000000Z")
    assert line == {
        "event": "request",
        "level": "info",
        "process": "edge",
        "request_id": "id-1",
        "method": "GET",
        "path": "/v1/popular?ü",
        "status": 200,
        "ms": 1.23,
        "client": "127.0.0.1",
    }


async def test_many_lines_do_not_wait():
    stream = io.StringIO()
    log = AccessLog("edge", stream)
    for number in range(MOST_LINES):
        log.line(str(number), "GET", "/", 200, 1.0, "")
    assert stream.getvalue().count("\n") == MOST_LINES


async def test_nothing_is_written_below_the_level():
    stream = io.StringIO()
    log = AccessLog("edge", stream, on=False)
    log.line("1", "GET", "/", 200, 1.0, "")
    log.flush()
    assert stream.getvalue() == ""
