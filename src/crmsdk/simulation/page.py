"""The report as one self-contained page: journeys with counts, sends, rules, people's timelines."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from crmsdk.journeys.counting import count_ways
from crmsdk.reports.charts import Bar, Series, add_by_week, draw_ranking, draw_stacks
from crmsdk.reports.journeys import draw_journey
from crmsdk.reports.page import Block, Cards, Entry, Figure, Section, Table, Timeline, Tone, build_page
from crmsdk.runtime.telling import Entry as Told
from crmsdk.simulation.figures import Figures
from crmsdk.simulation.tables import Table as Rows

__all__ = ["report_page"]


_DAILY = 120  # days up to which every day has a bar of its own
_WEEK = timedelta(days=7)
_TONES: dict[str, Tone] = {
    "reached the goal": "good",
    "message put off": "held",
    "message held out": "held",
    "message will be tried again": "held",
    "message not sent": "bad",
    "nobody knows whether the message left": "bad",
    "stopped by an error": "bad",
}


def report_page(
    report: Figures, *, title: str, customers: Sequence[str] = (), more: Sequence[Section] = ()
) -> str:
    """Write a report as HTML that needs no network.

    Args:
        report: What happened.
        title: Above everything.
        customers: Whose timelines to show.
        more: Further sections, after the first.
    """
    return build_page(
        title,
        [
            _overview(report),
            *more,
            *(_journeys(report)),
            _sends(report),
            _rules(report),
            *(_timeline(report, customer) for customer in customers),
        ],
        subtitle=f"{report.start:%d %B %Y} to {report.until:%d %B %Y} (UTC)",
    )


def _table(rows: Rows, caption: str = "") -> Table:
    columns = tuple(rows.columns)
    numeric = [
        place
        for place, values in enumerate(rows.columns.values())
        if all(isinstance(value, int | float) for value in values)
    ]
    return Table(
        columns,
        tuple(tuple(_cell(value) for value in row.values()) for row in rows),
        caption=caption,
        numeric=numeric,
    )


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value)


def _overview(report: Figures) -> Section:
    busiest = report.busiest_day()
    sent = sum(int(str(row["sends"])) for row in report.sends("channel"))
    facts = [
        ("customers", f"{len(report.people):,}"),
        ("messages sent", f"{sent:,}"),
        ("busiest day", "none" if busiest is None else f"{busiest[0]:%d %b %Y}: {busiest[1]:,}"),
    ]
    return Section("Overview", (Cards(tuple(facts)), _table(report.runs(), "runs by journey")))


def _journeys(report: Figures) -> Iterator[Section]:
    notes = [note for mine in report.notes.values() for note in mine]
    for number, journey in enumerate(report.journeys):
        counts = count_ways(journey, notes)
        blocks: list[Block] = [
            Figure(draw_journey(journey, counts, prefix=f"journey{number}"), journey.kpi or journey.owner)
        ]
        outcomes = [row for row in report.exits() if row["journey"] == journey.name]
        if outcomes:
            blocks.append(
                Table(
                    ("outcome", "runs"),
                    tuple((_cell(row["outcome"]), _cell(row["runs"])) for row in outcomes),
                    caption="how runs ended",
                    numeric=[1],
                )
            )
        yield Section(f"Journey {journey.name}", tuple(blocks))


def _sends(report: Figures) -> Section:
    blocks: list[Block] = []
    days = [
        report.start.date() + timedelta(days=offset)
        for offset in range((report.until.date() - report.start.date()).days + 1)
    ]
    for by in ("journey", "channel"):
        counts: Counter[tuple[str, date]] = Counter()
        for row in report.sends(("day", by)):
            day = row["day"]
            if isinstance(day, date):
                counts[str(row[by]), day] += int(str(row["sends"]))
        names = sorted({name for name, _ in counts})
        series = [Series(name, tuple(float(counts[name, day]) for day in days)) for name in names]
        starts, drawn = (days, series) if len(days) <= _DAILY else add_by_week(days, series)
        weekly = len(days) > _DAILY
        blocks.append(
            Figure(
                draw_stacks(
                    starts,
                    drawn,
                    prefix=f"sends-{by}",
                    title=f"Messages sent a {'week' if weekly else 'day'}, by {by}",
                    span=_WEEK if weekly else timedelta(days=1),
                )
            )
        )
    blocks.append(_table(report.sends(("journey", "channel")), "messages sent"))
    return Section("Messages", tuple(blocks))


def _rules(report: Figures) -> Section:
    held = report.held()
    if not len(held):
        return Section("Rules", (Cards((("messages held back", "none"),)),))
    bars = [
        Bar(
            str(row["rule"]),
            float(str(row["messages"])),
            f"{row['deferred']} put off, {row['refused']} refused",
        )
        for row in held
    ]
    return Section(
        "Rules",
        (
            Figure(draw_ranking(bars, prefix="rules", title="Messages held back, by rule")),
            _table(held, "how often each rule held a message back"),
        ),
    )


def _timeline(report: Figures, customer: str) -> Section:
    entries = [
        Entry(
            f"{told.at:%Y-%m-%d %H:%M}",
            f"{told.what} {told.about}".strip(),
            _detail(told),
            tone=_TONES.get(told.what, "plain"),
        )
        for told in report.timeline(customer)
    ]
    return Section(f"Customer {customer}", (Timeline(tuple(entries)),))


def _detail(told: Told) -> str:
    if told.what == "event":
        return ", ".join(f"{name} {value}" for name, value in told.data.items())
    return told.why
