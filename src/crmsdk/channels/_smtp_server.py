"""Which mail server, and how to speak to it."""

import ssl
from typing import Literal, TypeAlias

import attrs

from crmsdk.model.secret import Secret

Encryption: TypeAlias = Literal["starttls", "tls", "none"]
"""``starttls`` encrypts a plain connection or gives up, ``tls`` is encrypted from the start."""


@attrs.frozen(kw_only=True)
class Server:
    """Settings of one mail server; ``timeout`` in seconds for each answer."""

    host: str
    port: int
    encryption: Encryption
    username: str | None = attrs.field(repr=False)  # often an address
    password: Secret | None
    timeout: float
    tls: ssl.SSLContext | None = attrs.field(repr=False)
    local_name: str
