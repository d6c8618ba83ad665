"""Every channel of ours keeps every promise of the port."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from crmsdk.testing.channel_suite import ChannelRig, ChannelSuite
from tests import channel_rigs as rigs


class TestMemory(ChannelSuite):
    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[ChannelRig]:
        return rigs.memory_rig(folder)


class TestConsole(ChannelSuite):
    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[ChannelRig]:
        return rigs.console_rig(folder)


class TestEml(ChannelSuite):
    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[ChannelRig]:
        return rigs.eml_rig(folder)


class TestSmtp(ChannelSuite):
    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[ChannelRig]:
        return rigs.smtp_rig(folder)


class TestTelegram(ChannelSuite):
    def open_rig(self, folder: Path) -> AbstractAsyncContextManager[ChannelRig]:
        return rigs.telegram_rig(folder)
