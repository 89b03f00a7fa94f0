"""The journal: entries are a function of their fetches; replay, order and batching make no difference."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import compare, journal
from db.journal import FINAL, MAX_ATTEMPTS, NEUTRAL, Event
from tests.db.helpers import exchange, listing, memory


def entry(database: Any, key: str = "e") -> tuple[str, int, str]:
    row: tuple[str, int, str] = database.conn.execute(
        "select state, attempts, reason from entries where key = ?", (key,)
    ).fetchone()
    return row


OUTCOMES = ["ok", "timeout", "server-error", "not-found", "redirect", "unchanged"]


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = []
    for fetch in range(1, draw(st.integers(1, 14)) + 1):
        if draw(st.integers(0, 3)) == 0:
            events.append(
                listing(
                    fetch, draw(st.lists(st.sampled_from("abc"), unique=True)), etag=draw(st.sampled_from(["", "x"]))
                )
            )
        else:
            kind = draw(st.sampled_from(["document", "inline", "page", "list"]))
            events.append(
                exchange(
                    fetch,
                    draw(st.sampled_from(OUTCOMES)),
                    kind=kind,
                    entry=draw(st.sampled_from("abc")),
                    parent=1,
                    run=f"r{fetch % 7}",
                )
            )
    return events


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_batching_and_replay_make_no_difference(events: list[Event], rng: random.Random, sizes: list[int]) -> None:
    once, many = memory(), memory()
    journal.apply(once, events)
    at, turn = 0, 0
    while at < len(events):
        size = sizes[turn % len(sizes)]
        journal.apply(many, events[at : at + size])
        if rng.random() < 0.3:  # the crash came between database and acknowledgement
            journal.apply(many, events[max(0, at - 3) : at + size])
        at, turn = at + size, turn + 1
    assert compare.differences(once, many) == []


@settings(max_examples=80, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_entries_do_not_depend_on_the_order_of_exchanges(events: list[Event], rng: random.Random) -> None:
    one, two = memory(), memory()
    journal.apply(one, events)
    rng.shuffle(events)
    for event in events:
        journal.apply(two, [event])
    assert compare.differences(one, two, only=["entries", "fetches"]) == []


def test_five_passes_that_fail_are_the_end_and_a_success_repairs_it() -> None:
    database = memory()
    journal.apply(database, [listing(1, ["e"])])
    for n in range(1, MAX_ATTEMPTS):
        journal.apply(database, [exchange(10 + n, "timeout", entry="e", run=f"r{n}", reason="no answer in 60 s")])
        assert entry(database) == ("new", n, "no answer in 60 s")
        assert [e.key for e in journal.unfinished(database, "s")] == ["e"]
    journal.apply(database, [exchange(20, "timeout", entry="e", run="r9", reason="no answer in 60 s")])
    assert entry(database) == ("failed", 5, "given up after 5 passes: no answer in 60 s")
    assert journal.unfinished(database, "s") == []
    journal.apply(database, [exchange(21, entry="e", run="r10")])
    assert entry(database) == ("fetched", 0, "")


def test_several_tries_within_one_pass_count_once() -> None:
    database = memory()
    journal.apply(database, [exchange(n, "server-error", entry="e", run="r1") for n in range(1, 9)])
    assert entry(database)[:2] == ("new", 1)


@pytest.mark.parametrize("outcome", sorted(FINAL))
def test_what_would_answer_the_same_again_fails_at_once(outcome: str) -> None:
    database = memory()
    journal.apply(database, [exchange(1, outcome, entry="e", reason="in words")])
    assert entry(database) == ("failed", 1, "in words")


@pytest.mark.parametrize("outcome", sorted(NEUTRAL))
def test_a_redirect_or_an_unchanged_page_is_no_failure(outcome: str) -> None:
    database = memory()
    journal.apply(database, [listing(1, ["e"]), exchange(2, outcome, entry="e")])
    assert entry(database) == ("new", 0, "")


def test_a_document_that_is_stored_survives_a_later_failure() -> None:
    database = memory()
    journal.apply(database, [exchange(1, entry="e")])
    database.conn.execute("update fetches set state = 'done'")
    journal.apply(database, [exchange(2, "not-found", entry="e", run="r2")])
    assert entry(database)[0] == "done"


def test_validators_wait_for_every_entry() -> None:
    database = memory()
    url = "https://l.example/"
    journal.apply(database, [listing(1, ["a", "b"], etag='"v"', last_modified="Mon")])
    assert journal.validators(database, url) == ("", "")
    journal.apply(database, [exchange(2, "not-found", entry="a"), exchange(3, entry="b")])
    assert journal.validators(database, url) == ("", "")
    assert journal.promote_validators(database) == 0
    database.conn.execute("update fetches set state = 'done'")
    journal.apply(database, [exchange(4, "unchanged", entry="b")])
    assert journal.validators(database, url) == ('"v"', "Mon")


def test_a_changed_list_withdraws_its_old_validators() -> None:
    database = memory()
    url = "https://l.example/"
    journal.apply(database, [listing(1, [], etag='"v1"')])
    assert journal.validators(database, url).etag == '"v1"'
    journal.apply(database, [listing(2, ["new"], etag='"v2"')])
    assert journal.validators(database, url).etag == ""


@pytest.mark.parametrize("outcome", ["empty-list", "shrunk-list", "template"])
def test_a_list_that_is_no_proper_list_gets_no_validators(outcome: str) -> None:
    database = memory()
    journal.apply(database, [listing(1, [], outcome=outcome, etag='"v"')])
    assert journal.validators(database, "https://l.example/").etag == ""


def test_an_empty_answer_keeps_the_entries_of_the_list() -> None:
    database = memory()
    journal.apply(database, [listing(1, ["a"]), listing(2, [], outcome="empty-list")])
    assert database.conn.execute("select key from list_entries").fetchall() == [("a",)]


def test_fetch_ids_are_given_out_once_and_never_again_after_a_replay() -> None:
    database = memory()
    assert (journal.reserve(database, 10), journal.reserve(database)) == (1, 11)
    journal.apply(database, [exchange(500)])
    assert journal.reserve(database) == 501


def test_a_number_that_another_record_holds_is_reported() -> None:
    database = memory()
    journal.apply(database, [exchange(1, entry="e")])
    done = journal.apply(database, [exchange(1, entry="f", record_id="other")])
    assert done.clashes == ["other"]


def test_known_gives_states_and_leaves_out_what_was_never_listed() -> None:
    database = memory()
    journal.apply(database, [listing(1, ["a", "b"]), exchange(2, entry="b")])
    assert journal.known(database, "s", ["a", "b", "c"]) == {"a": "new", "b": "fetched"}


def test_what_the_newest_list_says_wins() -> None:
    database = memory()
    old, new = listing(1, ["a"]), listing(2, ["a"], url="https://other.example/")
    new.rows[0]["said"] = {"title": "newer"}
    journal.apply(database, [new])
    journal.apply(database, [old])
    row = database.conn.execute("select said, first_listed_at, last_listed_at from entries").fetchone()
    assert row == ('{"title":"newer"}', old.read_at, new.read_at)
