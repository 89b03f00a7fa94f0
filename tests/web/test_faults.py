"""Every way in which the imitation web can be told to misbehave, seen from the client's side."""

from __future__ import annotations

import base64
import socket
import ssl
import time

import pytest
import requests
from urllib3.exceptions import IncompleteRead, ProtocolError

from tests.web import ImitationWeb
from tests.web.faults import Fault, FaultError

from .conftest import client

HOST = "https://www.ndrc.gov.cn"
LIST = f"{HOST}/xxgk/zcfb/tz/index.html"
CUT_OFF = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError, IncompleteRead, ProtocolError)


def test_status_so_many_times(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(f"{HOST}/*", status=503, headers={"Retry-After": "7"}, times=2)
    answers = [own_get.get(LIST) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_only_after_some_requests(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(f"{HOST}/*", status=429, after=1, times=1)
    assert [own_get.get(LIST).status_code for _ in range(3)] == [200, 429, 200]


def test_only_what_matches(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault("re:/gg/index", status=404)
    assert own_get.get(LIST).status_code == 200
    assert own_get.get(f"{HOST}/xxgk/zcfb/gg/index.html").status_code == 404


def test_the_newest_order_wins_and_clearing_ends_it(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, status=500)
    number = own.fault(LIST, status=403)
    assert own_get.get(LIST).status_code == 403
    assert own.log()[-1]["fault"] == number
    assert own.clear_faults(LIST) == 2
    assert own_get.get(LIST).status_code == 200


def test_delay(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, delay=0.5)
    assert own_get.get(LIST).status_code == 200
    entry = own.log()[-1]
    assert entry["t_end"] - entry["t_start"] >= 0.5


def test_hang(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, hang=True)
    with pytest.raises(requests.exceptions.ReadTimeout):
        own_get.get(LIST, timeout=0.5)
    assert own.log()[-1]["status"] is None


def test_hang_in_the_middle_of_the_body(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, hang="body")
    with pytest.raises(requests.exceptions.ConnectionError, match="timed out"):
        own_get.get(LIST, timeout=0.5)


def test_reset_instead_of_an_answer(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, reset=True)
    with pytest.raises(requests.exceptions.ConnectionError, match=r"reset|aborted|EOF|closed connection"):
        own_get.get(LIST)
    assert own.log()[-1]["aborted"] is True


def test_reset_is_a_real_rst(own: ImitationWeb) -> None:
    own.fault("http://www.mof.gov.cn/*", reset=True)
    with socket.create_connection(("127.0.0.1", int(own.proxy.rsplit(":", 1)[1])), 10) as connection:
        connection.sendall(b"GET http://www.mof.gov.cn/ HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.parametrize("order", [{"truncate": 100}, {"truncate": 0.5}, {"reset": "body"}])
def test_cut_off_bodies(own: ImitationWeb, own_get: requests.Session, order: dict[str, object]) -> None:
    own.fault(LIST, **order)
    with pytest.raises(CUT_OFF):
        own_get.get(LIST)
    entry = own.log()[-1]
    assert entry["status"] == 200 and entry["aborted"]


def test_cut_off_chunks(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault("https://www.nfra.gov.cn/*", truncate=0.3)
    with pytest.raises(CUT_OFF):
        own_get.get(
            "https://www.nfra.gov.cn/cn/static/data/DocInfo/SelectDocByItemIdAndChild/data_itemId=4215,pageIndex=1,pageSize=18.json"
        )


def test_another_body(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, body="<script>$_ts=1;</script>", status=412)
    answer = own_get.get(LIST)
    assert (answer.status_code, answer.text) == (412, "<script>$_ts=1;</script>")
    own.fault(LIST, body_base64=base64.b64encode(b"\xff\xfe\x00").decode(), headers={"Content-Type": "image/png"})
    answer = own_get.get(LIST)
    assert (answer.content, answer.headers["Content-Type"]) == (b"\xff\xfe\x00", "image/png")


def test_headers_of_the_true_answer(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, headers={"ETag": None, "X-Odd": "1"})
    answer = own_get.get(LIST)
    assert answer.headers["X-Odd"] == "1" and "ETag" not in answer.headers
    assert "createPageHTML" in answer.text


def test_redirect(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, redirect="http://127.0.0.1:9/secret")
    answer = own_get.get(LIST, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:9/secret")


def test_size(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, size=3_000_000)
    assert len(own_get.get(LIST).content) == 3_000_000
    own.fault(LIST, size=50_000_000)
    answer = own_get.get(LIST, stream=True)
    assert answer.headers["Content-Length"] == "50000000"
    answer.close()


def test_raw_bytes(own: ImitationWeb) -> None:
    own.fault("http://www.mof.gov.cn/*", raw_base64=base64.b64encode(b"HTTP/1.1 200 OK\r\nOdd\r\n\r\nx").decode())
    with socket.create_connection(("127.0.0.1", int(own.proxy.rsplit(":", 1)[1])), 10) as connection:
        connection.sendall(b"GET http://www.mof.gov.cn/ HTTP/1.1\r\n\r\n")
        got = b""
        while piece := connection.recv(4096):
            got += piece
    assert got == b"HTTP/1.1 200 OK\r\nOdd\r\n\r\nx"


def test_slow_bytes(own: ImitationWeb, own_get: requests.Session) -> None:
    own.fault(LIST, body="x" * 1000, slow=2000)
    assert len(own_get.get(LIST).content) == 1000
    entry = own.log()[-1]
    assert entry["t_end"] - entry["t_start"] >= 0.4


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (True, "unable to get local issuer|self.signed"),
        ("unknown-ca", "unable to get local issuer|self.signed"),
        ("expired", "expired"),
        ("wrong-host", "Hostname mismatch|doesn't match"),
    ],
)
def test_bad_certificates(own: ImitationWeb, own_get: requests.Session, kind: bool | str, words: str) -> None:
    assert own_get.get(LIST).status_code == 200  # an open connection must not hide the order
    own.fault(f"{HOST}/*", certificate=kind)
    with pytest.raises(requests.exceptions.SSLError, match=words):
        own_get.get(LIST)
    assert own_get.get("https://trulynews.cn/robots.txt").status_code == 200
    own.clear_faults()
    assert client(own).get(LIST).status_code == 200


def connect(web: ImitationWeb) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(web.proxy.rsplit(":", 1)[1])), 10)
    connection.sendall(b"CONNECT www.ndrc.gov.cn:443 HTTP/1.1\r\n\r\n")
    return connection


def test_trouble_at_connect(own: ImitationWeb) -> None:
    own.fault(f"{HOST}/*", connect="refuse", times=1)
    with connect(own) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 502")
    own.fault(f"{HOST}/*", connect="reset", times=1)
    with connect(own) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    own.fault(f"{HOST}/*", connect="hang", times=1)
    with connect(own) as connection:
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    with connect(own) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")


def test_robots_can_be_anything(own: ImitationWeb, own_get: requests.Session) -> None:
    url = f"{HOST}/robots.txt"
    true = own_get.get(url).text
    own.robots("www.ndrc.gov.cn", "User-agent: *\nDisallow: /xxgk/\n")
    assert own_get.get(url).text == "User-agent: *\nDisallow: /xxgk/\n"
    assert own_get.get("https://www.pbc.gov.cn/robots.txt").text != own_get.get(url).text
    own.robots("www.ndrc.gov.cn", status=503)
    assert own_get.get(url).status_code == 503
    own.robots("www.ndrc.gov.cn", redirect="https://www.ndrc.gov.cn/other.txt")
    assert own_get.get(url, allow_redirects=False).headers["Location"] == "https://www.ndrc.gov.cn/other.txt"
    own.robots("www.ndrc.gov.cn", reset=True)
    with pytest.raises(requests.exceptions.ConnectionError):
        own_get.get(url)
    own.robots("www.ndrc.gov.cn", hang=True)
    with pytest.raises(requests.exceptions.ReadTimeout):
        own_get.get(url, timeout=0.3)
    own.robots("www.ndrc.gov.cn", "User-agent: *\nDisallow:\n", delay=0.3)
    start = time.monotonic()
    assert own_get.get(url).status_code == 200
    assert time.monotonic() - start >= 0.3
    own.robots("www.ndrc.gov.cn")
    assert own_get.get(url).text == true


@pytest.mark.parametrize(
    ("pattern", "url", "matches"),
    [
        ("*", "https://a/b", True),
        ("https://a/*", "https://a/b?c=[1]", True),
        ("https://a/b?c=[1]", "https://a/b?c=[1]", True),
        ("https://a/b.c", "https://a/bxc", False),
        ("https://a/b", "https://a/bc", False),
        (r"re:/b\d$", "https://a/b7", True),
    ],
)
def test_patterns(pattern: str, url: str, matches: bool) -> None:
    assert Fault(pattern).matches(url) is matches


@pytest.mark.parametrize(
    "wrong", [{"certificate": "odd"}, {"connect": "odd"}, {"hang": "odd"}, {"reset": 3}, {"pattern": "re:("}]
)
def test_wrong_faults_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(FaultError):
        Fault.of({"pattern": "*", **wrong})


def test_a_client_that_speaks_no_tls_does_no_harm(own: ImitationWeb, own_get: requests.Session) -> None:
    with connect(own) as connection:
        connection.recv(4096)
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connection.recv(4096)
    context = ssl.create_default_context()
    with connect(own) as connection:
        connection.recv(4096)
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(connection, server_hostname="www.ndrc.gov.cn")
    assert own_get.get(LIST).status_code == 200
