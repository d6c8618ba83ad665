"""Reads the shop's invoices into news: purchases, cancellations, and who the customers are."""

import gzip
from bisect import insort
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from statistics import median

from crmsdk import Identifier
from crmsdk.demo.shop import CATALOG, ZONE
from crmsdk.errors import ConfigError
from crmsdk.model.catalog import Catalog
from crmsdk.model.customer import IdentifierKind
from crmsdk.model.ids import EventId
from crmsdk.model.inputs import Identify, Input, Track
from crmsdk.model.zones import candidates, local, zone
from crmsdk.segments.words import prop
from crmsdk.wire.columns import MoneyColumn, Reject, Rename
from crmsdk.wire.files import csv_rows
from crmsdk.wire.maps import EventMap
from crmsdk.wire.report import ReadRow, Row
from crmsdk.wire.tables import read_rows
from crmsdk.wire.wall_clock import WallClock

__all__ = ["FALLBACK", "find_data", "invoice_rows", "people_of", "repeat_due"]

_FILE = "online_retail_invoices.csv.gz"

FALLBACK = timedelta(days=28)
"""Days to the next purchase where a person has too few to tell: the median of all gaps in the data."""

_LEAST, _MOST = timedelta(days=7), timedelta(days=45)
_ENOUGH = 3  # shopping days from which on a person's own median counts

_COUNTRIES = {
    "United Kingdom": "GB", "EIRE": "IE", "Germany": "DE", "France": "FR", "Spain": "ES", "Belgium": "BE",
    "Switzerland": "CH", "Portugal": "PT", "Italy": "IT", "Finland": "FI", "Austria": "AT", "Norway": "NO",
    "Australia": "AU", "Japan": "JP", "USA": "US", "Canada": "CA", "Netherlands": "NL", "Sweden": "SE",
    "Denmark": "DK", "Poland": "PL", "Greece": "GR", "Cyprus": "CY", "Israel": "IL", "Iceland": "IS",
    "Malta": "MT", "Singapore": "SG", "Brazil": "BR", "Lebanon": "LB", "Bahrain": "BH", "RSA": "ZA",
    "Saudi Arabia": "SA", "Lithuania": "LT", "Czech Republic": "CZ", "United Arab Emirates": "AE",
    "Channel Islands": "GG", "Hong Kong": "HK",
}  # fmt: skip


def find_data() -> Path:
    """Find the invoices: beside the installed demo, or in the examples of a checkout.

    Raises:
        ConfigError: they are at neither place.
    """
    for place in (
        Path(str(files("crmsdk.demo"))) / "data" / _FILE,
        Path(__file__).parents[3] / "examples" / "data" / _FILE,
    ):
        if place.is_file():
            return place
    raise ConfigError(f"the demo's data {_FILE} is missing; install crmsdk whole, or run in a checkout")


def invoice_rows(path: Path, *, received: datetime, catalog: Catalog = CATALOG) -> Iterator[Row]:
    """Read invoices by stated rules; every row comes out, as news or as rejected with its reason."""
    amount = MoneyColumn("amount_pence", "GBP")
    by = EventMap(
        event="purchase",
        customer="customer",
        at=WallClock("placed_at", ZONE),
        id="invoice",
        properties={"amount": amount, "country": "country"},
        columns={"amount_pence": "integer"},
        rules=[
            Reject("adjustment", prop("kind") == "adjustment"),
            Reject("missing_customer", prop("customer").missing()),
            Rename("cancellation", prop("kind") == "cancellation", properties={"amount": amount}),
            Reject("amount_not_positive", prop("amount_pence") <= 0),
        ],
        source="shop",
    )
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from read_rows(csv_rows(file), by, catalog=catalog, received=received)


def repeat_due(bought: list[date], at: datetime) -> datetime:
    """Say when a person is due to buy again: after their own median gap, or the fallback.

    Args:
        bought: Days with a purchase up to now, rising, each once.
        at: The last purchase, UTC.
    """
    if len(bought) < _ENOUGH:
        return at + FALLBACK
    gaps = [(later - earlier).days for earlier, later in pairwise(bought)]
    return at + min(max(timedelta(days=median(gaps)), _LEAST), _MOST)


def people_of(rows: Iterable[Row]) -> Iterator[Input]:
    """Add to each purchase what the shop learns by it: addresses, country, zone, the next date due.

    Addresses are invented: the data has none. Every third customer has a Telegram chat.
    """
    clock = zone(ZONE)
    bought: dict[str, list[date]] = {}
    for row in rows:
        if not isinstance(row, ReadRow):
            continue
        for news in row.inputs:
            yield news
            if not isinstance(news, Track) or news.name != "purchase":
                continue
            customer = news.identifiers[0].value
            days = bought.setdefault(customer, [])
            day = local(news.at, clock).date()
            if day not in days:
                insort(days, day)
            yield _learned(news, customer, repeat_due(days, news.at), first=len(days) == 1)


def _learned(news: Track, customer: str, due: datetime, *, first: bool) -> Identify:
    country = str(news.properties["country"])
    zones = candidates(None, _COUNTRIES.get(country))
    traits: dict[str, object] = {"country": country, "repeat_due": due}
    if first and int(customer) % 3 == 0:
        traits["telegram_chat"] = int(customer)
    email = Identifier(IdentifierKind.EMAIL, f"customer-{customer}@online-retail.invalid")
    return Identify(
        id=EventId(f"{news.id}:learned"),
        identifiers=(*news.identifiers, email),
        at=news.at,
        received=news.received,
        source="shop",
        traits=traits,
        zone=zones[0] if len(zones) == 1 else None,
    )
