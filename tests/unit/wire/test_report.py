import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsdk.errors import (
    CrmsdkError,
    DuplicateEvent,
    InputError,
    MergeRefused,
    NaiveMoment,
    UnknownName,
    UnknownZone,
)
from crmsdk.wire.report import ImportReport, RejectedRow, Tally, reason_of


@given(st.lists(st.sampled_from(["accept", "duplicate", "missing", "invalid"])))
def test_every_row_is_counted_once(fates: list[str]) -> None:
    tally = Tally()
    for number, fate in enumerate(fates, 1):
        if fate == "accept":
            tally.accept()
        elif fate == "duplicate":
            tally.duplicate()
        else:
            tally.reject(RejectedRow(number, fate))
    report = tally.report()
    assert report.read == len(fates)
    assert report.read == report.accepted + report.duplicates + sum(report.rejected.values())
    assert [row.row for row in report.rows] == [
        number for number, fate in enumerate(fates, 1) if fate in {"missing", "invalid"}
    ]


@pytest.mark.parametrize(
    "counts",
    [
        {"read": 4, "accepted": 1, "duplicates": 1, "rejected": {"x": 1}, "rows": (RejectedRow(3, "x"),)},
        {"read": 3, "accepted": 1, "duplicates": 1, "rejected": {"x": 1}, "rows": ()},
        {"read": 3, "accepted": 1, "duplicates": 1, "rejected": {"x": 1}, "rows": (RejectedRow(3, "y"),)},
    ],
)
def test_an_account_that_does_not_add_up_is_refused(counts: dict[str, object]) -> None:
    with pytest.raises(InputError, match="each row once"):
        ImportReport(**counts)  # type: ignore[arg-type]  # one dict for all cases


def test_the_report_prints() -> None:
    tally = Tally()
    tally.accept(1200)
    tally.duplicate(3)
    tally.reject(RejectedRow(7, "adjustment"))
    assert str(tally.report()).splitlines() == [
        "read                      1,204",
        "accepted                  1,200",
        "duplicates                    3",
        "rejected: adjustment          1",
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnknownName("event", "x"), "unknown_event"),
        (UnknownName("property", "x"), "unknown_property"),
        (NaiveMoment("at"), "naive_moment"),
        (UnknownZone("x"), "unknown_zone"),
        (DuplicateEvent("x"), "duplicate_event"),
        (MergeRefused("a", "b"), "merge_refused"),
        (InputError("is missing; give it", field="purchase.total"), "missing_total"),
        (InputError("is missing"), "missing"),
        (InputError("is text"), "invalid"),
    ],
)
def test_a_fault_has_one_word_to_count_by(error: CrmsdkError, reason: str) -> None:
    assert reason_of(error) == reason
    assert RejectedRow.of(3, error) == RejectedRow(3, reason, str(error))
