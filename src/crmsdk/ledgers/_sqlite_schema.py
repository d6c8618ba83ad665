"""Tables of the SQLite ledger, as numbered steps.

Their names share a prefix, so that they can live in a store's own file.
"""

from typing import Final

__all__ = ["STEPS", "VERSION_TABLE"]

VERSION_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS crmsdk_ledger_schema (version INTEGER PRIMARY KEY) WITHOUT ROWID"
)

_CONTACTS: Final = """
CREATE TABLE crmsdk_ledger_contacts (
    customer TEXT NOT NULL,
    at INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    purpose TEXT NOT NULL,
    sender TEXT NOT NULL,
    journey TEXT NOT NULL,
    campaign TEXT NOT NULL,
    topic TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sending', 'sent')),
    lease INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    PRIMARY KEY (customer, at, message_id)
) WITHOUT ROWID
"""

# Only what is being sent, which is little: to list what is in doubt without a scan.
_LEASES: Final = """
CREATE INDEX crmsdk_ledger_leases ON crmsdk_ledger_contacts (lease, message_id) WHERE state = 'sending'
"""

_SUPPRESSIONS: Final = """
CREATE TABLE crmsdk_ledger_suppressions (
    customer TEXT NOT NULL,
    address TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (customer, address, channel, purpose)
) WITHOUT ROWID
"""

_MOVES: Final = """
CREATE TABLE crmsdk_ledger_moves (
    source TEXT PRIMARY KEY,
    target TEXT NOT NULL
) WITHOUT ROWID
"""

_MOVED_TO: Final = "CREATE INDEX crmsdk_ledger_moved_to ON crmsdk_ledger_moves (target)"

STEPS: Final = ((_CONTACTS, _LEASES, _SUPPRESSIONS, _MOVES, _MOVED_TO),)
"""What brings the schema from each version to the next; a step is never edited once released."""
