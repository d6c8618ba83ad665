"""Every sans-I/O adapter of ours keeps every promise of its port."""

import json
from collections.abc import Sequence
from typing import Any

from crmsdk.channels.telegram import TelegramAdapter
from crmsdk.model.content import Content, Envelope
from crmsdk.model.provider import ProviderResponse
from crmsdk.ports import ChannelAdapter
from crmsdk.testing.adapter_suite import AdapterSuite
from crmsdk.testing.channel_suite import chat_envelope

TOKEN = "123456:AAHsecretsecret"


def _answer(status: int, **body: Any) -> ProviderResponse:
    return ProviderResponse(status=status, body=json.dumps({"ok": status == 200} | body).encode())


class TestTelegramAdapter(AdapterSuite):
    secrets = (TOKEN, "1:token")

    def open_adapter(self) -> ChannelAdapter[Any]:
        return TelegramAdapter(
            TOKEN, base_url="https://api.telegram.org", name="telegram", attribute="telegram_chat"
        )

    def envelope(self, number: int) -> Envelope[Content]:
        return chat_envelope(number)

    def accepted(self, batch: Sequence[Envelope[Content]]) -> ProviderResponse:
        chat = {"id": int(batch[0].to.value), "type": "private"}
        return _answer(200, result={"message_id": 5, "date": 1, "chat": chat})

    def refused(self, batch: Sequence[Envelope[Content]]) -> ProviderResponse:
        return _answer(403, error_code=403, description="Forbidden: bot was blocked by the user")

    def busy(self) -> ProviderResponse:
        return _answer(429, error_code=429, description="Too Many Requests", parameters={"retry_after": 60})

    def credentials(self) -> ProviderResponse:
        return _answer(401, error_code=401, description="Unauthorized")
