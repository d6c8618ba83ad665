"""A channel over a scripted provider, one batch at a time."""

import pytest

from crmsdk.channels.delivery import ProviderChannel
from tests.unit.channels.scripted import FakeSending, FakeTime


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def sending() -> FakeSending:
    return FakeSending()


@pytest.fixture
def channel(sending: FakeSending, time: FakeTime) -> ProviderChannel:
    return ProviderChannel(sending, pace=time.pace, parallel=1)
