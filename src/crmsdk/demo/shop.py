"""The shop's campaign, as a user would write it: what can happen, who is who, three journeys, their texts."""

from datetime import datetime, timedelta

from crmsdk import (
    AttributeSet,
    Catalog,
    EventType,
    Holdout,
    Journey,
    Money,
    Prop,
    Segment,
    Send,
    Sender,
    Wait,
    WaitFor,
    did,
    enters,
    on,
    on_date,
    once,
)
from crmsdk.journeys.steps import local_time
from crmsdk.segments.stages import Stages

__all__ = ["CATALOG", "JOURNEYS", "LIFECYCLE", "SENDER", "TEMPLATES", "ZONE", "Purchase"]

ZONE = "Europe/London"
SENDER = Sender(id="shop", address="shop@online-retail.invalid", name="The gift shop")


class Purchase(EventType, name="purchase"):
    """Somebody bought something."""

    amount: Prop[Money]
    country: Prop[str]


class Cancellation(EventType, name="cancellation"):
    """Somebody gave something back; the amount is below zero."""

    amount: Prop[Money]


class Shopper(AttributeSet):
    """What is known of a customer."""

    country: Prop[str]
    repeat_due: Prop[datetime | None]
    telegram_chat: Prop[int | None]


CATALOG = Catalog(events=[Purchase, Cancellation], attributes=[Shopper], strict=True)

SLEEP = timedelta(days=60)
SLEEPING = Segment("sleeping", did(Purchase).last_at().more_than_ago(SLEEP))

LIFECYCLE = Stages(
    "lifecycle",
    {
        "no purchase": ~did(Purchase),
        "sleeping": SLEEPING,
        "new": did(Purchase).first_at().within_last(timedelta(days=30)),
        "VIP": did(Purchase).within(timedelta(days=365)).sum(Purchase.amount) >= Money(200_000, "GBP"),
    },
    otherwise="active",
)

WELCOME = Journey(
    "welcome",
    enter=on(Purchase),
    entry=once(),
    kind="content",
    goal=did(Purchase).since_entry().within(timedelta(days=30)),
    owner="crm",
    kpi="second purchase within 30 days",
    steps=[
        Send("welcome", "email", key="thanks"),
        Wait(timedelta(days=3)),
        Wait(local_time("10:00", on="weekdays")),
        Send("how-to", ("telegram", "email"), key="how-to"),
        Wait(timedelta(days=7)),
        Send("second-order", "email", key="second-order", kind="promo"),
    ],
)

REPEAT = Journey(
    "repeat",
    enter=on_date("repeat_due").only_if(~SLEEPING),
    kind="trigger",
    goal=did(Purchase).since_entry().within(timedelta(days=30)),
    exit=did(Purchase).since_entry(),
    owner="crm",
    kpi="orders per active customer",
    steps=[
        Send("repeat", ("telegram", "email"), key="reminder"),
        WaitFor(
            did(Purchase).since_entry(),
            timeout=timedelta(days=4),
            otherwise=[Send("repeat-offer", "email", key="offer", kind="promo")],
            key="answer",
        ),
    ],
)

WIN_BACK = Journey(
    "win-back",
    enter=enters(SLEEPING),
    kind="promo",
    purpose="winback",
    goal=did(Purchase).since_entry().within(timedelta(days=30)),
    exit=did(Purchase).since_entry(),
    holdout=Holdout(0.1, "win-back-2011"),
    owner="crm",
    kpi="sleepers who buy again",
    steps=[
        Send("we-miss-you", "email", key="miss-you"),
        WaitFor(
            did(Purchase).since_entry(),
            timeout=timedelta(days=7),
            otherwise=[Send("come-back", ("telegram", "email"), key="come-back")],
            key="answer",
        ),
    ],
)

JOURNEYS = (WELCOME, REPEAT, WIN_BACK)


def _email(subject: str, text: str) -> str:
    return (
        f"subject: {subject}\nunsubscribe: {{{{ unsubscribe_url }}}}\n---\n"
        f'<p>{text}</p>\n<p><a href="{{{{ unsubscribe_url }}}}">No more of these</a></p>\n'
        f"--- text\n{text}\n\nNo more of these: {{{{ unsubscribe_url }}}}\n"
    )


TEMPLATES = {
    "welcome": {
        "email.en": _email("Thank you for your order", "Your order of {{ amount | money }} is on its way.")
    },
    "how-to": {
        "email.en": _email("Three ways to wrap a gift", "A short guide for your parcel to {{ country }}."),
        "telegram.en": "Three ways to wrap a gift: a short guide for your parcel to {{ country }}.\n",
    },
    "second-order": {
        "email.en": _email("Something for the next time", "Free delivery of your second order this week.")
    },
    "repeat": {
        "email.en": _email("Time for more?", "You usually come back about now; here is what is new."),
        "telegram.en": "You usually come back about now; here is what is new.\n",
    },
    "repeat-offer": {"email.en": _email("Until Sunday", "Five per cent off, until Sunday.")},
    "we-miss-you": {"email.en": _email("We miss you", "Sixty days without you. What went wrong?")},
    "come-back": {
        "email.en": _email("A gift for your return", "Your next order comes with a gift."),
        "telegram.en": "Your next order comes with a gift.\n",
    },
}
