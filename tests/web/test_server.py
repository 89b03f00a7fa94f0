"""The proxy itself: certificates, framing, coding, conditional requests, the log, and that nothing leaves the machine."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import brotli
import psutil
import pytest
import requests

from tests.web import Control, ControlError, ImitationWeb, overlaps
from tests.web.control import PROJECT

from .conftest import client

LIST = "https://www.ndrc.gov.cn/xxgk/zcfb/tz/index.html"


def raw(web: ImitationWeb, data: bytes, until: bytes = b"") -> bytes:
    """Send bytes to the proxy and read until `until` or the end."""
    with socket.create_connection(("127.0.0.1", int(web.proxy.rsplit(":", 1)[1])), 10) as connection:
        connection.sendall(data)
        got = b""
        while not until or until not in got:
            piece = connection.recv(65_536)
            if not piece:
                break
            got += piece
        return got


def test_https_works_with_its_ca(get: requests.Session) -> None:
    assert get.get(LIST).status_code == 200


def test_https_fails_without_its_ca(web: ImitationWeb) -> None:
    session = client(web)
    session.verify = True
    with pytest.raises(requests.exceptions.SSLError):
        session.get(LIST)


def test_certificates_name_the_host(web: ImitationWeb) -> None:
    context = ssl.create_default_context(cafile=web.ca_file)
    for host in ("www.ndrc.gov.cn", "trulynews.cn", "www.cgtn.com"):
        with socket.create_connection(("127.0.0.1", int(web.proxy.rsplit(":", 1)[1])), 10) as connection:
            connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            with context.wrap_socket(connection, server_hostname=host) as tls:
                assert ("DNS", host) in (tls.getpeercert() or {})["subjectAltName"]


def test_an_unknown_host_gets_502_in_words(web: ImitationWeb, get: requests.Session) -> None:
    answer = get.get("http://nowhere.example/page")
    assert answer.status_code == 502
    assert "nowhere.example" in answer.text
    assert raw(web, b"CONNECT nowhere.example:443 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 502")
    assert [entry["status"] for entry in web.log(host="nowhere.example")] == [502, 502]


def test_what_is_no_request_gets_400(web: ImitationWeb) -> None:
    assert raw(web, b"hello\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert raw(web, b"GET /path HTTP/1.1\r\nHost: www.ndrc.gov.cn\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_it_listens_on_the_loopback_and_connects_nowhere(web: ImitationWeb, get: requests.Session) -> None:
    get.get(LIST)
    connections = psutil.Process(web.pid).net_connections("inet")
    assert {one.laddr.ip for one in connections} == {"127.0.0.1"}
    assert {one.raddr.ip for one in connections if one.raddr} <= {"127.0.0.1"}


def test_keep_alive_and_pipelining(web: ImitationWeb) -> None:
    one = b"GET http://www.mof.gov.cn/robots.txt HTTP/1.1\r\nHost: www.mof.gov.cn\r\n"
    got = raw(web, one + b"\r\n" + one + b"\r\n" + one + b"Connection: close\r\n\r\n")
    assert got.count(b"HTTP/1.1 200 OK") == 3
    assert got.count(b"Disallow: /was5/") == 3
    last = web.log(host="www.mof.gov.cn")[-3:]
    assert len({entry["connection"] for entry in last}) == 1


def test_head_has_the_length_and_no_body(get: requests.Session) -> None:
    whole = get.get("https://www.pbc.gov.cn/goutongjiaoliu/113456/113469/index.html")
    head = get.head("https://www.pbc.gov.cn/goutongjiaoliu/113456/113469/index.html")
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(whole.content))


@pytest.mark.parametrize(
    "url",
    [
        LIST,
        "https://www.gov.cn/zhengce/zuixin/ZUIXINZHENGCE.json",
        "https://www.pbc.gov.cn/goutongjiaoliu/113456/2986536/index.html",
        "https://www.scmp.com/rss/4/feed/",
    ],
)
def test_unchanged_lists_answer_304(get: requests.Session, url: str) -> None:
    first = get.get(url)
    assert first.status_code == 200
    by_tag = get.get(url, headers={"If-None-Match": first.headers["ETag"]})
    by_date = get.get(url, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert (by_tag.status_code, by_date.status_code) == (304, 304)
    assert by_tag.content == b""
    assert get.get(url, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_new_document_ends_the_304(own: ImitationWeb, own_get: requests.Session) -> None:
    tag = own_get.get(LIST).headers["ETag"]
    own.add_document(
        {"key": "fresh", "sites": [{"source": "ndrc_zcfb", "section": "通知"}], "language": "zh", "title": "新的通知"}
        | {"days_ago": 0, "body": "正文。"}
    )
    answer = own_get.get(LIST, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert "新的通知" in answer.content.decode()
    own.remove_document("fresh")
    assert own_get.get(LIST, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(("accepts", "coding"), [("gzip", "gzip"), ("br", None), ("identity", None)])
def test_gzip_only_for_those_who_take_it(get: requests.Session, accepts: str, coding: str | None) -> None:
    answer = get.get(LIST, headers={"Accept-Encoding": accepts}, stream=True)
    bare = answer.raw.read(decode_content=False)
    assert answer.headers.get("Content-Encoding") == coding
    assert b"createPageHTML" in (gzip.decompress(bare) if coding else bare)


def test_brotli(get: requests.Session) -> None:
    answer = get.get(
        "https://www.gov.cn/zhengce/zuixin/ZUIXINZHENGCE.json", headers={"Accept-Encoding": "br"}, stream=True
    )
    assert answer.headers["Content-Encoding"] == "br"
    assert json.loads(brotli.decompress(answer.raw.read(decode_content=False)))


def test_chunked(get: requests.Session) -> None:
    answer = get.get("https://www.nfra.gov.cn/cbircweb/DocInfo/SelectDocByItemIdAndChild?itemId=4215&pageIndex=1")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers
    assert answer.json()["rptCode"] == 200


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://www.ndrc.gov.cn/xxgk/zcfb/tz/", "https://www.ndrc.gov.cn/xxgk/zcfb/tz/"),
        ("https://www.scmp.com/rss/4/feed", "https://www.scmp.com/rss/4/feed/"),
        ("https://www.trulynews.cn/?p=711", "https://trulynews.cn/?p=711"),
    ],
)
def test_redirects(get: requests.Session, url: str, location: str) -> None:
    answer = get.get(url, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (301, location)


def test_robots_differ_by_host(get: requests.Session) -> None:
    assert "Disallow: /cbircweb/admin/" in get.get("https://www.nfra.gov.cn/robots.txt").text
    assert "Crawl-delay: 120" in get.get("http://www.people.com.cn/robots.txt").text
    assert get.get("https://english.news.cn/robots.txt").status_code == 404


def test_the_log_tells_each_exchange(own: ImitationWeb, own_get: requests.Session) -> None:
    before = time.monotonic()
    own_get.get(LIST, headers={"User-Agent": "probe/1"})
    entry = own.log()[-1]
    assert entry["method"] == "GET" and entry["url"] == LIST and entry["host"] == "www.ndrc.gov.cn"
    assert entry["headers"]["user-agent"] == "probe/1"
    assert entry["status"] == 200 and entry["bytes"] > 0 and entry["client"] > 0
    assert before <= entry["t_start"] <= entry["t_end"] <= time.monotonic()
    assert own.log(since=entry["seq"]) == []
    own.clear_log()
    assert own.log() == []


def test_overlaps_see_two_requests_at_once(own: ImitationWeb) -> None:
    own.fault("http://www.mof.gov.cn/*", delay=0.4)
    request = b"GET http://www.mof.gov.cn/robots.txt HTTP/1.1\r\nConnection: close\r\n\r\n"
    port = int(own.proxy.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as a, socket.create_connection(("127.0.0.1", port)) as b:
        a.sendall(request)
        b.sendall(request)
        while a.recv(4096) or b.recv(4096):
            pass
    assert len(overlaps(own.log())) == 1
    own.clear_log()
    raw(own, request)
    raw(own, request)
    assert overlaps(own.log()) == []


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.web", "--no-documents", *arguments]
    return subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_by_itself_and_ends_cleanly(name: signal.Signals) -> None:
    process = start()
    assert process.stdout is not None and process.stderr is not None
    about = json.loads(process.stdout.readline())
    assert set(about) == {"proxy", "control", "ca_file"}
    folder = Path(about["ca_file"]).parent
    assert (os.stat(folder / "ca.key").st_mode & 0o777) == 0o600
    assert Control(about["control"]).proxy == about["proxy"]
    process.send_signal(name)
    _, guide = process.communicate(timeout=20)
    assert process.returncode == 0
    assert f"curl -x {about['proxy']} --cacert {about['ca_file']}" in guide
    assert "scrapy shell" in guide
    assert not folder.exists()


def test_it_ends_with_the_process_that_started_it() -> None:
    process = start("--until-stdin-closes", "--quiet")
    assert process.stdout is not None and process.stdin is not None
    process.stdout.readline()
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(20) == 0


def test_help_names_every_option() -> None:
    shown = subprocess.run([sys.executable, "-m", "tests.web", "--help"], cwd=PROJECT, capture_output=True, text=True)
    assert shown.returncode == 0
    for option in ("--port", "--control-port", "--ca-dir", "--today", "--bulk", "--filler", "--until-stdin-closes"):
        assert option in shown.stdout


def test_a_kept_ca_stays_the_same(tmp_path: Path) -> None:
    with ImitationWeb(documents=False, ca_dir=tmp_path) as one:
        first = Path(one.ca_file).read_bytes()
    with ImitationWeb(documents=False, ca_dir=tmp_path) as two:
        assert Path(two.ca_file).read_bytes() == first
        assert client(two).get("https://www.ndrc.gov.cn/robots.txt").status_code == 200


def test_a_taken_port_is_told(web: ImitationWeb) -> None:
    port = web.proxy.rsplit(":", 1)[1]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.web", "--no-documents", "--port", port],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "cannot start" in ended.stderr


def test_orders_that_mean_nothing_are_refused_in_words(web: ImitationWeb) -> None:
    with pytest.raises(ControlError, match="unknown fault 'wings'"):
        web.fault("*", wings=True)
    with pytest.raises(ControlError, match="no document 'nobody'"):
        web.change_document("nobody", title="x")
    with pytest.raises(ControlError, match="no site plays the source 'mars'"):
        web.add_document(
            {"key": "m", "sites": [{"source": "mars"}], "language": "zh", "title": "t", "days_ago": 1, "body": ""}
        )
    with pytest.raises(ControlError, match="no order /dance"):
        web.order("/dance")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sites": [{"source": "ndrc_zcfb", "wings": 2}]}, "unknown option 'wings' of ndrc_zcfb"),
        ({"sites": [{"source": "ndrc_zcfb", "section": "星"}]}, "ndrc_zcfb has no section '星'; it has 通知"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"days_ago": None}, "needs published"),
        ({"title": ""}, "title is missing"),
        ({"attachments": [{"name": "a", "kind": "wps"}]}, "an attachment needs a name and a kind"),
        ({"written": "soon"}, "written must be a date"),
    ],
)
def test_documents_that_cannot_be_shown_are_refused_in_words(
    web: ImitationWeb, change: dict[str, object], words: str
) -> None:
    raw = {"key": "x", "sites": [{"source": "ndrc_zcfb"}], "language": "zh", "title": "题", "days_ago": 1, "body": "文"}
    with pytest.raises(ControlError, match=words):
        web.add_document({**raw, **change})


def test_every_option_is_explained() -> None:
    from tests.web.documents import FIELDS, OPTIONS

    told = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    missing = [name for name in OPTIONS | (FIELDS - {"filler"}) if f"`{name}" not in told]
    assert missing == []
