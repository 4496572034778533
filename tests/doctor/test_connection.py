"""Address, proxy and TLS of a target, each with its own words and remedy."""

import ssl
from pathlib import Path

import pytest
import trustme

from harness.doctor.connection import check_address, check_proxy, check_tls
from harness.doctor.step import Step
from tests.doctor.conftest import Visiting
from tests.sites import Site, chat


async def steps(visiting: Visiting, url: str, *, keyed: bool = False) -> list[Step]:
    async with visiting(url, keyed=keyed) as visit:
        return [await check(visit) for check in (check_address, check_proxy, check_tls)]


async def test_a_server_that_is_there(visiting: Visiting) -> None:
    async with Site({"/v1/chat/completions": chat()}) as site:
        found = await steps(visiting, site.url, keyed=True)
    assert [step.outcome for step in found] == ["ok"] * 3
    assert found[0].found == f"{site.url}/v1/chat/completions"
    assert found[1].found == "none is used"
    assert site.asked == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "127.0.0.1:1: cannot connect: Connection refused"),
        ("http://no-such-host.invalid", "no-such-host.invalid:80: the host's name is not known"),
    ],
)
async def test_nobody_is_there(url: str, words: str, visiting: Visiting) -> None:
    address, *_ = await steps(visiting, url)
    assert address.outcome == "failed"
    assert words in address.found
    assert "firewall" in address.remedy


async def test_a_proxy_that_is_not_there(
    visiting: Visiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://me:hush@127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    address, proxy, _ = await steps(visiting, "http://chat.invalid")
    assert (address.outcome, proxy.outcome) == ("ok", "failed")
    assert proxy.found.startswith("the proxy 127.0.0.1:1: cannot connect")
    assert "put chat.invalid into no_proxy" in proxy.remedy
    assert "hush" not in f"{proxy}"


async def test_a_proxy_that_lets_through(
    visiting: Visiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Site({}) as site:
        monkeypatch.setenv("http_proxy", site.url)
        monkeypatch.setenv("no_proxy", "")
        found = await steps(visiting, "http://chat.invalid", keyed=True)
    assert found[1].found == f"through the proxy 127.0.0.1:{site.port}, which http_proxy names"
    assert (found[2].outcome, found[2].found[:13]) == ("cannot", "not encrypted")


async def test_tls_to_a_server_that_speaks_none(visiting: Visiting) -> None:
    async with Site({}) as site:
        found = await steps(visiting, site.url.replace("http:", "https:"))
    assert [step.outcome for step in found] == ["ok", "ok", "failed"]
    assert "write http:// in `url`" in found[2].remedy


async def test_a_certificate_that_is_trusted_and_one_that_is_not(
    visiting: Visiting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with Site({}, tls=tls) as site:
        unknown = await steps(visiting, site.url)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        trusted = await steps(visiting, site.url)
    assert [step.outcome for step in unknown] == ["ok", "ok", "failed"]
    assert "SSL_CERT_FILE" in unknown[2].remedy
    assert trusted[2].outcome == "ok"
    assert trusted[2].found.startswith("TLSv1.")
    assert "certificate until" in trusted[2].found
