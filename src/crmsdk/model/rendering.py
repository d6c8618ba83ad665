"""A template filled in for one person: the final content, and what a reader should know about it."""

import attrs

from crmsdk.model.content import Content, digest

__all__ = ["Rendered"]


@attrs.frozen(kw_only=True)
class Rendered:
    """The final text of one message.

    Attributes:
        template, channel: What was asked for.
        locale: The locale that was found, BCP 47; it may differ from the one asked for.
        content: The final content.
        warnings: What a marketer should look at before it goes out, one sentence each; none is an error.
    """

    template: str
    channel: str
    locale: str
    content: Content = attrs.field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def content_hash(self) -> str:
        """The hash of the final text, stored with the message."""
        return digest(self.content)
