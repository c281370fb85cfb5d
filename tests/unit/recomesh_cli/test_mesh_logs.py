import io
import json

from recomesh_cli.mesh.log_lines import LogStream, read_event, rendered

LINE = {
    "event": "ready",
    "level": "warning",
    "timestamp": "2026-03-01T12:00:00.5Z",
    "process": "catalog",
    "store": "ok",
    "n": 3,
    "exception": "Traceback…",
}


def test_json_is_passed_through():
    out = io.StringIO()
    LogStream(console=False, stream=out).child_event("catalog", read_event(json.dumps(LINE).encode() + b"\n"))
    assert json.loads(out.getvalue()) == LINE


def test_what_is_no_json_becomes_an_event_of_its_process():
    out = io.StringIO()
    log = LogStream(console=False, stream=out)
    lines = [b"Traceback\n", b"  File \xff\n", b"\n", b"ValueError: 3\n"]
    assert [read_event(line) for line in [*lines, b"[1]\n", b"{}\n"]] == [None] * 6
    log.loose_lines("reco", lines)
    log.loose_lines("reco", [b"0%\r50%\r100%\n"])
    log.loose_lines("reco", [b"  \n"])
    log.loose_lines("reco", [])
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["event"], first["process"]) == ("ValueError: 3", "reco")
    assert first["exception"].startswith("Traceback\n  File")
    assert second["event"] == "100%"


def test_people_see_time_process_event_and_fields_on_one_line():
    text = rendered("catalog", LINE).plain
    assert text.splitlines()[0].endswith("catalog warning ready store=ok n=3")
    assert text.splitlines()[1] == "Traceback…"


def test_console_lines_keep_markup_as_text():
    out = io.StringIO()
    LogStream(console=True, stream=out).child_event("edge", {**LINE, "path": "/[bold]x"})
    assert "path=/[bold]x" in out.getvalue()
