"""An engine for where the words of messages do not matter: every template exists, and lacks nothing."""

from collections.abc import Mapping, Sequence

from typing_extensions import override

from crmsdk.model.content import ChatContent, Content, EmailContent
from crmsdk.model.message import MessageKind
from crmsdk.model.rendering import Rendered
from crmsdk.model.values import Properties
from crmsdk.ports import TemplateEngine

__all__ = ["StandInTemplates"]

_UNSUBSCRIBE = "https://unsubscribe.invalid/"


class StandInTemplates(TemplateEngine):
    """Makes content that says the template's name; for tests and simulations."""

    @override
    def names(self) -> Sequence[str]:
        return ()

    @override
    def variables(self, name: str) -> Mapping[str, frozenset[str]]:
        return {}

    @override
    def render(
        self, name: str, channel: str, *, locale: str | None, values: Properties, kind: MessageKind
    ) -> Rendered:
        """Say the template's name."""
        content: Content = (
            EmailContent(subject=name, text=name, unsubscribe_url=_UNSUBSCRIBE)
            if channel == "email"
            else ChatContent(text=name)
        )
        return Rendered(template=name, channel=channel, locale=locale or "en", content=content)
