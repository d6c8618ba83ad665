"""Telegram through the Bot API.

Facts are those of Bot API 10.1 (11 June 2026): https://core.telegram.org/bots/api, methods ``sendMessage``
and "Making requests", types ``ResponseParameters`` and ``InlineKeyboardButton``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from typing_extensions import override

from crmsdk.channels.answers import outcome_of_status
from crmsdk.channels.http import HttpChannel, HttpClient
from crmsdk.channels.pacing import Pace, RetryPolicy
from crmsdk.errors import AuthError, ConfigError, UnsupportedFeature
from crmsdk.model.address import ByAttribute
from crmsdk.model.content import BUTTONS, HTML, SILENT, ChatContent, Envelope, Markup
from crmsdk.model.message import Accepted, Ambiguous, Deferred, Outcome, Rejected, Scope, Suppress
from crmsdk.model.provider import Capabilities, ProviderRequest, ProviderResponse, SendContext
from crmsdk.model.secret import Secret, SecretSource
from crmsdk.ports import ChannelAdapter, Transport

__all__ = ["TelegramAdapter", "TelegramChannel"]

_TOKEN: Final = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_CHAT: Final = re.compile(r"-?[0-9]{1,16}|@[A-Za-z0-9_]{1,64}")
"""At most 52 significant bits, or a public name."""


class TelegramAdapter(ChannelAdapter[ChatContent]):
    """Makes ``sendMessage`` requests and reads their answers.

    Telegram knows no idempotency keys and reports neither delivery nor reading.

    Args:
        token: The bot's token; it never stands in a logged address.
        base_url: Where the Bot API is.
        name: The kind of channel.
        attribute: The customer's attribute that holds the chat id.
    """

    def __init__(self, token: SecretSource, *, base_url: str, name: str, attribute: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError("base_url is no http address; leave it out to use Telegram's own")
        self._token = Secret.of(token)
        self._url = f"{base_url.rstrip('/')}/bot***/sendMessage"
        self._path = parts.path.rstrip("/")
        self._name = name
        self._capabilities = Capabilities(
            content=ChatContent,
            address=ByAttribute(attribute),
            features={HTML, BUTTONS, SILENT},
            length_max=4096,
        )

    @property
    @override
    def name(self) -> str:
        return self._name

    @property
    @override
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @override
    def build(self, batch: Sequence[Envelope[ChatContent]], context: SendContext) -> ProviderRequest:
        (envelope,) = batch
        chat = envelope.to.value
        if not _CHAT.fullmatch(chat):
            raise UnsupportedFeature(self._name, "a chat id that is neither a number nor an @name")
        token = self._token.reveal()
        if not _TOKEN.fullmatch(token):
            raise ConfigError("the bot token is not as 123456:letters; copy it whole from BotFather")
        return ProviderRequest(
            method="POST",
            url=self._url,
            target=Secret(f"{self._path}/bot{token}/sendMessage"),
            headers={"Content-Type": "application/json"},
            body=json.dumps(_fields(chat, envelope.content), ensure_ascii=False).encode(),
        )

    @override
    def parse(self, batch: Sequence[Envelope[ChatContent]], response: ProviderResponse) -> Sequence[Outcome]:
        return [_outcome(response)]


def _fields(chat: str, content: ChatContent) -> Mapping[str, Any]:
    fields: dict[str, Any] = {
        "chat_id": chat if chat.startswith("@") else int(chat),
        "text": content.text,
    }
    if content.markup is Markup.HTML:
        fields["parse_mode"] = "HTML"
    if content.silent:
        fields["disable_notification"] = True
    if content.buttons:
        rows = [[{"text": button.label, "url": button.url} for button in row] for row in content.buttons]
        fields["reply_markup"] = {"inline_keyboard": rows}
    return fields


def _outcome(response: ProviderResponse) -> Outcome:
    answer = response.json()
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool):
        # Something between us and Telegram answered; by its status alone.
        return outcome_of_status(response) or Ambiguous(reason="an answer that is not Telegram's")
    if answer["ok"]:
        result = answer.get("result")
        number = result.get("message_id") if isinstance(result, dict) else None
        return Accepted(provider_id="" if number is None else str(number))
    description = str(answer.get("description", "")).casefold()
    parameters = answer.get("parameters")
    return _refusal(response, description, parameters if isinstance(parameters, dict) else {})


def _refusal(response: ProviderResponse, description: str, parameters: Mapping[str, Any]) -> Outcome:
    # A description is only compared, never passed on: it may quote the message.
    match response.status:
        case 429:
            seconds = parameters.get("retry_after")
            wait = timedelta(seconds=seconds) if type(seconds) is int and 0 <= seconds < 10**8 else None
            # Flood control stops the whole bot, not one chat.
            return Deferred(
                reason="Telegram asks the bot to wait (429)", retry_after=wait, scope=Scope.ACCOUNT
            )
        case 404:
            raise AuthError("Telegram does not know the bot token; copy it anew from BotFather")
        case 403:
            return Rejected(
                reason="the bot may not write to this chat (403)", code="403", suppress=Suppress.OPT_OUT
            )
        case 400 if (moved := parameters.get("migrate_to_chat_id")) is not None:
            return Rejected(
                reason="the group has become a supergroup with another chat id (400)",
                code="migrated",
                suppress=Suppress.ADDRESS,
                moved_to=str(moved),
            )
        case 400 if "chat not found" in description:
            return Rejected(reason="there is no such chat (400)", code="400", suppress=Suppress.ADDRESS)
        case 400 if "can't parse entities" in description:
            return Rejected(reason="the html of the text is not Telegram's (400)", code="markup")
        case _:
            return outcome_of_status(response) or Ambiguous(reason="a refusal with a status of success")


class TelegramChannel(HttpChannel):
    """Sends chat messages as a Telegram bot.

    At most once: Telegram does not recognise a repeated message, so an ``Ambiguous`` one is not repeated.

    Args:
        token: The bot's token, or a function that fetches it.
        base_url: Where the Bot API is; another address for an own server or a stub.
        client: An ``httpx.AsyncClient`` or another ``Transport`` to use instead of own connection pools.
        name: The kind of channel.
        attribute: The customer's attribute that holds the chat id.
        parallel: How many requests are on their way at a time.
        retry: How failures are repeated within one call.
        pace: Time and chance.

    Raises:
        ConfigError: the base address is none.
    """

    def __init__(
        self,
        token: SecretSource,
        *,
        base_url: str = "https://api.telegram.org",
        client: HttpClient | Transport | None = None,
        name: str = "telegram",
        attribute: str = "telegram_chat",
        parallel: int = 8,
        retry: RetryPolicy | None = None,
        pace: Pace | None = None,
    ) -> None:
        adapter = TelegramAdapter(token, base_url=base_url, name=name, attribute=attribute)
        super().__init__(adapter, client=client, retry=retry, parallel=parallel, pace=pace)
