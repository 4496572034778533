"""One lookup for all who ask, and a new one when it is due."""

import asyncio
import socket

import pytest

from harness.client.transport.addresses import Addresses


class Names:
    """A name service that answers when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.fails = False
        self.answers = asyncio.Event()
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._answer, raising=False)

    async def _answer(self, host: str, port: int, *, type: int) -> list[object]:  # noqa: A002
        self.asked += 1
        await self.answers.wait()
        if self.fails:
            raise socket.gaierror(-2, "Name or service not known")
        return [
            (socket.AF_INET6, type, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, type, 6, "", ("127.0.0.1", port)),
        ]


async def test_those_who_ask_at_once_share_a_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch)
    addresses = Addresses("chat.example", 80)
    asking = [asyncio.ensure_future(addresses.find()) for _ in range(50)]
    await asyncio.sleep(0)
    asking.pop().cancel()
    names.answers.set()
    assert await asyncio.gather(*asking) == [["::1", "127.0.0.1"]] * 49
    assert await addresses.find() == ["::1", "127.0.0.1"]
    assert names.asked == 1
    addresses.forget()
    await addresses.find()
    assert names.asked == 2


async def test_a_lookup_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.client.transport.addresses._FRESH", -1.0)
    names = Names(monkeypatch)
    names.answers.set()
    addresses = Addresses("chat.example", 80)
    for _ in range(2):
        await addresses.find()
    assert names.asked == 2


async def test_a_failure_is_told_to_all_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch)
    names.fails = True
    names.answers.set()
    addresses = Addresses("chat.example", 80)
    told = await asyncio.gather(*(addresses.find() for _ in range(5)), return_exceptions=True)
    assert {type(one) for one in told} == {socket.gaierror}
    assert names.asked == 1
    names.fails = False
    assert await addresses.find()
    assert names.asked == 2
