"""The two sides of a job marketplace: what is recorded of candidates and employers, and their segments.

Candidates look for work one by one. Employers are companies of several contacts: what one of them did counts
for all, so those segments ask about the people of the account.
"""

from datetime import timedelta

from crmsdk import AttributeSet, Catalog, EventType, Money, Prop, attr, did, segment
from crmsdk.segments.stages import Stages
from crmsdk.segments.words import account, in_account, points, score

DAY = timedelta(days=1)


class ResumeCreated(EventType, name="resume_created"):
    """A candidate wrote a résumé."""

    resume_id: Prop[int]
    region: Prop[str]


class ResumeUpdated(EventType, name="resume_updated"):
    """A candidate changed it."""

    resume_id: Prop[int]


class VacancySearched(EventType, name="vacancy_searched"):
    """A candidate searched."""

    query: Prop[str]
    region: Prop[str]


class ApplicationSent(EventType, name="application_sent"):
    """A candidate answered a vacancy."""

    vacancy_id: Prop[int]


class InvitationReceived(EventType, name="invitation_received"):
    """An employer answered the candidate."""

    vacancy_id: Prop[int]


class VacancyPublished(EventType, name="vacancy_published"):
    """A contact of an employer published a vacancy."""

    vacancy_id: Prop[int]
    region: Prop[str]


class ResponseReceived(EventType, name="response_received"):
    """A candidate answered a vacancy of the contact."""

    vacancy_id: Prop[int]


class ResponseOpened(EventType, name="response_opened"):
    """The contact looked at such an answer."""

    vacancy_id: Prop[int]


class OrderPaid(EventType, name="order_paid"):
    """The contact paid for vacancies or services."""

    amount: Prop[Money]
    service: Prop[str]


class Candidate(AttributeSet):
    """Who looks for work."""

    region: Prop[str | None]
    profession: Prop[str | None]
    level: Prop[str | None]


class Employer(AttributeSet):
    """What a contact of an employer says of the company."""

    industry: Prop[str | None]
    staff: Prop[int | None]


CATALOG = Catalog(
    events=[
        *(ResumeCreated, ResumeUpdated, VacancySearched, ApplicationSent, InvitationReceived),
        *(VacancyPublished, ResponseReceived, ResponseOpened, OrderPaid),
    ],
    attributes=[Candidate, Employer],
)

# --- candidates -----------------------------------------------------------------------------------------

_has_resume = did(ResumeCreated)
_looks = did(VacancySearched).within(30 * DAY) | did(ApplicationSent).within(30 * DAY)

CANDIDATES = (
    segment("no resume", ~in_account() & did(VacancySearched) & ~_has_resume),
    segment("searches, does not apply", _has_resume & did(VacancySearched).within(14 * DAY).at_least(3)
            & ~did(ApplicationSent).within(14 * DAY)),
    segment("applies, is not invited", did(ApplicationSent).within(30 * DAY).at_least(5)
            & ~did(InvitationReceived).within(30 * DAY)),
    segment("resume out of date", _has_resume & ~did(ResumeCreated).within(180 * DAY)
            & ~did(ResumeUpdated).within(180 * DAY) & _looks),
    segment("candidate sleeps", _has_resume & ~_looks),
)  # fmt: skip

CANDIDATE_STAGES = Stages(
    "candidate",
    {
        "invited": did(InvitationReceived).within(30 * DAY),
        "applying": did(ApplicationSent).within(30 * DAY),
        "looking": did(VacancySearched).within(30 * DAY),
        "passive": _has_resume,
    },
    otherwise="guest",
)

# --- employers ------------------------------------------------------------------------------------------

_published = account.any(did(VacancyPublished))
_active = account.any(did(VacancyPublished).within(30 * DAY))

EMPLOYERS = (
    segment("no vacancy yet", in_account() & ~_published),
    segment("vacancy without answers", _active & ~account.any(did(ResponseReceived).within(14 * DAY))),
    segment("answers left unread", account.any(did(ResponseReceived).within(7 * DAY))
            & ~account.any(did(ResponseOpened).within(7 * DAY))),
    segment("large payer", account.sum(did(OrderPaid).within(365 * DAY), "amount")
            >= Money(100_000_00, "RUB")),
    segment("employer sleeps", _published & ~_active),
)  # fmt: skip

WARMTH = score(
    points(10, per=did(VacancyPublished), half_life=30 * DAY),
    points(5, per=did(OrderPaid), half_life=90 * DAY),
    points(1, per=did(ResponseOpened).within(30 * DAY)),
    points(5, when=attr(Employer.staff) >= 100),
)
"""How warm a contact of an employer is."""

HOT = segment("hot", WARMTH >= 20)
