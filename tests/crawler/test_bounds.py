"""Bounds: only the source's hosts, never an address that isn't public, limits on size, redirects, time, certificates."""

from __future__ import annotations

import ssl
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.bounds import Bounds, is_public, literal_address
from crawler.handler import proxy_of
from tests.crawler.conftest import documents
from tests.crawler.webserver import Asked, Reply

SOURCE = SimpleNamespace(
    base_url="https://www.nfra.gov.cn",
    lists=(SimpleNamespace(url="http://news.test:8080/list"),),
    allows=lambda host: host in ("www.nfra.gov.cn", "news.test"),
)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
        "http://10.0.0.8/x", "http://192.168.1.1/", "http://172.16.0.1/", "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/", "http://0.0.0.0/", "http://224.0.0.1/", "http://255.255.255.255/", "http://[::1]/",
        "http://[fe80::1]/", "http://[fc00::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
        "http://[ff02::1]/", "http://[2002:7f00:1::]/", "http://localhost/", "http://LOCALHOST./", "http://printer.local/",
        "http://db.internal/", "http://127.0.0.1:8080/", "http://home.arpa/", "http://printer.home.arpa/",
    ],
)  # fmt: skip
def test_private_addresses_are_refused_in_every_spelling(url: str) -> None:
    refusal = Bounds(SOURCE).check(url)
    assert refusal is not None
    assert refusal[0] == "private-address"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/", "https://www.nfra.gov.cn.evil.test/", "https://nfra.gov.cn/", "ftp://www.nfra.gov.cn/",
        "https://www.nfra.gov.cn:6379/", "https://www.nfra.gov.cn@evil.test/", "https://user:pw@www.nfra.gov.cn/",
        "http://8.8.8.8/", "https://www.nfra.gov.cn:99999/", "file:///etc/passwd", "http:///x", "http://evil.test?@www.nfra.gov.cn/",
        "http://evil.test#@www.nfra.gov.cn/", "http://evil.test\\@www.nfra.gov.cn/",
    ],
)  # fmt: skip
def test_other_hosts_ports_and_schemes_are_refused(url: str) -> None:
    refusal = Bounds(SOURCE).check(url)
    assert refusal is not None
    assert refusal[0] == "wrong-host"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.nfra.gov.cn/a?b#c",
        "http://www.nfra.gov.cn/",
        "https://WWW.NFRA.GOV.CN./a",
        "http://news.test:8080/x",
    ],
)
def test_what_the_source_names_is_allowed(url: str) -> None:
    assert Bounds(SOURCE).check(url) is None


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_inside_ipv6_is_judged_as_what_it_is(number: int) -> None:
    import ipaddress

    plain = ipaddress.IPv4Address(number)
    assert is_public(str(plain)) == (plain.is_global and not plain.is_multicast and not plain.is_reserved)
    assert is_public(f"::ffff:{plain}") == is_public(str(plain))


@given(st.text(max_size=30))
def test_no_text_breaks_the_check(text: str) -> None:
    Bounds(SOURCE).check(f"http://{text}/")
    Bounds(SOURCE).check(text)
    literal_address(text)


def test_a_proxy_keeps_its_password_out_of_its_address() -> None:
    assert proxy_of("http://user:p%40ss@proxy.test:3128") == ("http://proxy.test:3128", b"Basic dXNlcjpwQHNz")
    assert proxy_of("http://proxy.test:3128") == ("http://proxy.test:3128", b"")
    assert proxy_of("") == ("", b"")


# ------------------------------------------------------------------------------------------ in a crawl


def site(asked: Asked) -> Reply:
    paths = {
        "/robots.txt": Reply(404, b""),
        "/to-private": Reply(302, b"", {"Location": "http://169.254.169.254/latest/"}),
        "/to-other": Reply(302, b"", {"Location": "http://other.test/a"}),
        "/loop": Reply(302, b"", {"Location": "/loop?again"}),
        "/loop?again": Reply(301, b"", {"Location": "/loop"}),
        "/nowhere": Reply(302, b"", {}),
        "/large": Reply(body=b"x" * 300_000),
        "/endless": Reply(raw=b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 300_000),
        "/hang": Reply(hang=30),
    }
    return paths.get(asked.path, Reply(body=b"page"))


def test_redirects_stay_within_bounds(crawl: Any, web: Any) -> None:
    server = web(site)
    done = crawl([documents("http://news.test/to-private", "http://news.test/to-other")], server.proxy)
    assert {a.host for a in server.log} == {"news.test"}
    assert sorted(done.missed.values()) == ["private-address", "wrong-host"]
    assert {r["outcome"] for r in done.rows("select outcome from fetches where kind = 'document'")} == {
        "redirect", "private-address", "wrong-host",
    }  # fmt: skip
    assert {r["state"] for r in done.rows("select state from entries")} == {"failed"}


def test_redirects_have_an_end(crawl: Any, web: Any) -> None:
    server = web(site)
    done = crawl([documents("http://news.test/loop", "http://news.test/nowhere")], server.proxy)
    assert len([p for p in server.paths() if p.startswith("/loop")]) == 6
    assert sorted(done.missed.values()) == ["too-many-redirects", "unreadable"]
    assert done.end("news")["failed"] == 2


@pytest.mark.parametrize("path", ["large", "endless"])
def test_bodies_have_a_limit(path: str, crawl: Any, web: Any) -> None:
    server = web(site)
    done = crawl([documents(f"http://news.test/{path}")], server.proxy, DOWNLOAD_MAXSIZE=100_000)
    assert list(done.missed.values()) == ["too-large"]
    assert done.rows("select state from entries") == [{"state": "failed"}]


def test_requests_have_a_time_limit(crawl: Any, web: Any) -> None:
    server = web(site)
    done = crawl([documents("http://news.test/hang", timeout=1)], server.proxy, RETRY_TIMES=1)
    assert list(done.missed.values()) == ["timeout"]
    assert server.paths().count("/hang") == 2


def test_without_a_proxy_names_that_lead_inside_are_not_contacted(crawl: Any, web: Any) -> None:
    import socket

    server = web(site)
    name = socket.gethostname()
    try:
        if is_public(socket.gethostbyname(name)):
            pytest.skip("this machine's name is a public address")
    except OSError:
        pytest.skip("this machine's name has no address")
    url = f"http://{name}:{server.port}/a"
    plan = documents(url, host=name)
    plan["base_url"] = url
    done = crawl([plan])
    assert server.paths() == []
    assert done.missed == {url: "private-address"}
    assert "not an address of the public internet" in done.rows("select reason from fetches")[0]["reason"]


# ------------------------------------------------------------------------------------------ certificates


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, ssl.SSLContext, ssl.SSLContext]:
    """A certificate authority of our own: its file, a server for news.test that it vouches for, one that nobody does."""
    from tests.web.ca import Authority

    ours, strangers = Authority(tmp_path / "ours"), Authority(tmp_path / "strangers")
    return ours.ca_file, ours.context("news.test"), strangers.context("news.test")


def test_certificates_are_verified(crawl: Any, web: Any, authority: Any) -> None:
    ca_file, good, bad = authority
    known, stranger = web(site, tls=good), web(site, tls=bad)
    plan = documents("https://news.test/a")
    accepted = crawl.end(crawl.start([plan], known.proxy, str(ca_file)))
    assert accepted.got == ["https://news.test/a"]
    refused = crawl.end(crawl.start([plan], stranger.proxy, str(ca_file), RETRY_TIMES=0))
    assert refused.got == []
    assert stranger.paths() == []
    assert refused.missed == {"https://news.test/a": "certificate"}
    unknown = crawl.end(crawl.start([plan], known.proxy, "", RETRY_TIMES=0))
    assert unknown.got == []


def test_a_certificate_for_another_host_is_refused(crawl: Any, web: Any, authority: Any, tmp_path: Path) -> None:
    ca_file, good, _ = authority
    server = web(site, tls=good)
    plan = documents("https://elsewhere.test/a", host="elsewhere.test")
    done = crawl.end(crawl.start([plan], server.proxy, str(ca_file), RETRY_TIMES=0))
    assert done.got == []
    assert server.paths() == []
