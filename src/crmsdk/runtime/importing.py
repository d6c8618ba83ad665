"""Takes the rows of a table, and accounts for every one of them."""

from collections.abc import Iterable

from crmsdk.model.inputs import Input as News
from crmsdk.runtime.turning import Turner
from crmsdk.wire.report import ImportReport, ReadRow, RejectedRow, Row, Tally

__all__ = ["import_rows"]

_BATCH = 1_000


async def import_rows(turner: Turner, rows: Iterable[Row]) -> ImportReport:
    """Take the rows that ``crmsdk.wire`` has read.

    A row is accepted when any of its news is new, a duplicate when all are known, rejected when any is
    refused. Facts older than a trigger's ``max_age`` start nothing.

    Args:
        turner: Where people are written.
        rows: As ``read_rows`` gives them; read lazily, in batches.

    Returns:
        The account: ``read == accepted + duplicates + sum of rejected``.
    """
    tally = Tally()
    batch: list[ReadRow] = []
    for row in rows:
        if isinstance(row, RejectedRow):
            tally.reject(row)
            continue
        batch.append(row)
        if len(batch) == _BATCH:
            await _take(turner, batch, tally)
            batch = []
    if batch:
        await _take(turner, batch, tally)
    return tally.report()


async def _take(turner: Turner, batch: list[ReadRow], tally: Tally) -> None:
    news: list[News] = [one for row in batch for one in row.inputs]
    taken = await turner.take(news)
    # Rows may share an id: the news themselves are told apart, and the first of them is the one that was new.
    refused = {id(one.news): one.error for one in taken.refused}
    new: dict[str, int] = {}
    for one in sorted(news, key=lambda one: one.order):
        if one.id in taken.ids and id(one) not in refused:
            new.setdefault(one.id, id(one))
    for row in batch:
        errors = [refused[id(one)] for one in row.inputs if id(one) in refused]
        if errors:
            tally.reject(RejectedRow.of(row.row, errors[0]))
        elif any(new.get(one.id) == id(one) for one in row.inputs):
            tally.accept()
        else:
            tally.duplicate()
