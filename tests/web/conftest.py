"""Imitation webs for the tests of the imitation web: one that nobody changes, and one per module for those who do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.web import ImitationWeb

TODAY = "2026-10-08"


def client(web: ImitationWeb) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"http": web.proxy, "https": web.proxy}
    session.verify = web.ca_file
    return session


@pytest.fixture(scope="session")
def web() -> Iterator[ImitationWeb]:
    """All documents, on a fixed day; tests must not change it."""
    with ImitationWeb(today=TODAY) as running:
        yield running


@pytest.fixture(scope="session")
def get(web: ImitationWeb) -> requests.Session:
    return client(web)


@pytest.fixture(scope="module")
def _mine() -> Iterator[ImitationWeb]:
    with ImitationWeb(today=TODAY) as running:
        yield running


@pytest.fixture
def own(_mine: ImitationWeb) -> Iterator[ImitationWeb]:
    """A web that a test may set faults on; they are taken back afterwards."""
    _mine.clear_log()
    yield _mine
    _mine.clear_faults()


@pytest.fixture
def own_get(own: ImitationWeb) -> requests.Session:
    return client(own)
