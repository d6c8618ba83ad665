"""Exported suites, fakes and strategies, for this library and for everybody who builds on it."""

import sys

_EXPLAINED = (
    "_ledger_places",
    "_ledger_play",
    "_ledger_random",
    "_ledger_upkeep",
    "_store_people",
    "_store_processes",
    "_store_queue",
    "_store_samples",
    "adapter_suite",
    "channel_suite",
    "ledger_suite",
    "store_suite",
)

# A failed promise must show what was found. pytest rewrites only the asserts of test files and plug-ins,
# unless told before the import; who imports a suite comes through here first. Else nothing is loaded.
if (_pytest := sys.modules.get("pytest")) is not None:
    _pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _EXPLAINED))
