from __future__ import annotations

from feeds import ImportReport


def test_a_report_counts_by_reason_most_frequent_first() -> None:
    report = ImportReport(read=10, written=5, unchanged=1)
    report.reject("no price")
    report.reject("duplicate row", 3)
    assert report.as_dict() == {
        "read": 10,
        "written": 5,
        "unchanged": 1,
        "rejected": 4,
        "reasons": {"duplicate row": 3, "no price": 1},
    }


def test_a_report_stays_small_however_many_reasons_there_are() -> None:
    report = ImportReport()
    for number in range(1_000):
        report.reject(f"reason {number}")
    assert len(report.rejected) == 101
    assert report.rejected["other reasons"] == 900
    assert report.rejected_total == 1_000
