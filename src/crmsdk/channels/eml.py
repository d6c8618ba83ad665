"""E-mail into a folder, one ``.eml`` file a message: for where no port can be opened, and to look at."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from os import PathLike
from pathlib import Path

from typing_extensions import override

from crmsdk.channels._email import EmailChannel, EmailSending
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.errors import TransientError
from crmsdk.model.content import EmailContent, Envelope
from crmsdk.model.message import Accepted, Outcome, Sender
from crmsdk.model.provider import Idempotency, SendContext

__all__ = ["EmlChannel"]


class EmlChannel(EmailChannel):
    """Writes e-mails as files that mail programs open.

    A file is named by the idempotency key and appears whole or not at all, so a repeated envelope changes
    nothing.

    Args:
        folder: Where to write; made at the first message.
        sender: Who sends where a message names nobody.
        name: The kind of channel.
        retry: How failures are repeated within one call.
        pace: Time and chance.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        sender: Sender | None = None,
        name: str = "email",
        retry: RetryPolicy | None = None,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(_EmlSending(Path(folder), sender=sender, name=name), retry=retry, pace=pace)


class _EmlSending(EmailSending):
    def __init__(self, folder: Path, *, sender: Sender | None, name: str) -> None:
        super().__init__(name, sender=sender, idempotency=Idempotency.KEY)
        self._folder = folder

    @override
    async def send(self, batch: Sequence[Envelope[EmailContent]], context: SendContext) -> Sequence[Outcome]:
        return [await asyncio.to_thread(self._write, envelope) for envelope in batch]

    @override
    async def aclose(self) -> None:
        """Nothing is held open."""

    def _write(self, envelope: Envelope[EmailContent]) -> Outcome:
        letter = self.letter(envelope)
        name = (
            envelope.key
            if envelope.key.replace(".", "").isalnum()
            else sha256(envelope.key.encode()).hexdigest()
        )
        path = self._folder / f"{name}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                half = path.with_suffix(".part")
                half.write_bytes(letter.data)
                half.replace(path)
        except OSError as error:
            raise TransientError(f"the folder takes no file ({type(error).__name__})") from None
        return Accepted(provider_id=letter.message_id)
