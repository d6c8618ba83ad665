"""An adapter's own content: made by templates, imagined in a simulation, a mismatch told at the opening."""

from collections.abc import Mapping
from datetime import timedelta

import attrs
import pytest

from crmsdk.channels.memory import MemoryChannel, usual_capabilities
from crmsdk.errors import ConfigError
from crmsdk.journeys.steps import Send
from crmsdk.model.content import EmailContent
from crmsdk.model.message import MessageKind
from crmsdk.policy.ruleset import ContactPolicy
from crmsdk.runtime.crm import Crm
from crmsdk.simulation.simulating import simulate
from crmsdk.stores.memory import MemoryStore
from crmsdk.templates.engine import JinjaTemplateEngine
from crmsdk.templates.kinds import EMAIL, ContentKind
from tests.scenarios.stage import START, event, journey


@attrs.frozen(kw_only=True)
class NoteContent:
    """A content of a stranger's channel."""

    text: str
    needs: frozenset[str] = frozenset()

    @property
    def length(self) -> int:
        return len(self.text)

    def lacks(self, kind: MessageKind) -> str | None:
        return None

    def parts(self) -> Mapping[str, str]:
        return {"text": self.text}


NOTE = ContentKind(
    headers=frozenset(), build=lambda filled: NoteContent(text=filled.body or ""), makes=NoteContent
)
FILES = {"hi": {"sms.en": "Hello."}}
CARRIES_NOTES = attrs.evolve(usual_capabilities("sms"), content=NoteContent)


def test_a_channel_whose_templates_become_something_else_is_told_at_the_opening() -> None:
    found = r"files of 'sms' become ChatContent, and its channel carries NoteContent; .*kinds=\{'sms'"
    notes = MemoryChannel("sms", capabilities=CARRIES_NOTES)
    with pytest.raises(ConfigError, match=found):
        Crm.over(MemoryStore(), zone="UTC", templates=FILES, channels=[notes])


def test_another_name_for_an_email_channel_needs_its_kind() -> None:
    news = MemoryChannel("news", capabilities=attrs.evolve(usual_capabilities("email"), content=EmailContent))
    files = {"hi": {"news.en": "subject: News\n---\n<p>Hello.</p>"}}
    with pytest.raises(ConfigError, match="files of 'news' become ChatContent"):
        Crm.over(MemoryStore(), zone="UTC", templates=files, channels=[news])
    words = JinjaTemplateEngine(files, kinds={"news": EMAIL})
    Crm.over(MemoryStore(), zone="UTC", templates=words, channels=[news])


def test_templates_without_a_file_for_a_channel_are_no_mismatch() -> None:
    notes = MemoryChannel("letter", capabilities=CARRIES_NOTES)
    Crm.over(MemoryStore(), zone="UTC", templates=FILES, channels=[notes])


@pytest.mark.parametrize("kind", [NOTE, attrs.evolve(NOTE, makes=None)])
def test_a_simulation_carries_it(kind: ContentKind) -> None:
    words = JinjaTemplateEngine(FILES, kinds={"sms": kind})
    report = simulate(
        [journey("series", Send("hi", "sms"))],
        [event("ann", "signed_up", START, "one")],
        start=START,
        until=START + timedelta(days=1),
        templates=words,
        policy=ContactPolicy(),
    )
    assert "message sent" in str(report.timeline("ann"))
