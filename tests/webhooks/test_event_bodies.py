"""Bytes as events. Pure."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.event_bodies import parse, parse_lacking
from service.ledger.events import Event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
ENVELOPE = st.sampled_from(["id", "object", "type", "created", "livemode", "data", "related_object", "api_version"])


def test_a_snapshot_event_is_read(event):
    body = event(api_version="2026-10-28.endive", data={"object": {"id": "sub_1", "object": "subscription"}})

    assert parse(body) == Event(
        event_id="evt_1",
        type="customer.created",
        api_version="2026-10-28.endive",
        is_live=False,
        created_at=datetime.fromtimestamp(1_790_000_000, UTC),
        object_id="sub_1",
        body=body,
    )


def test_a_thin_event_is_read_with_its_milliseconds(event):
    body = event(object="v2.core.event", created="2026-11-20T00:00:05.123Z", related_object={"id": "mtr_1"})

    read = parse(body)

    assert (read.created_at, read.object_id) == (datetime(2026, 11, 20, 0, 0, 5, 123_000, UTC), "mtr_1")


@pytest.mark.parametrize("related", [{}, None, "mtr_1", {"id": 5}])
def test_a_thin_event_may_be_about_nothing(event, related):
    body = event(object="v2.core.event", created="2026-11-20T00:00:05Z", related_object=related)

    assert parse(body).object_id is None


def test_an_event_of_an_unknown_type_is_an_event(event):
    assert parse(event(type="v2.brand_new[thing].happened")).type == "v2.brand_new[thing].happened"


def test_an_event_of_another_library_s_old_fixture_is_an_event(event):
    assert parse(event(api_version="2013-02-13", data={"object": {"object": "balance"}})).object_id is None


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "evt_" + "a" * 65},
        {"id": "evt_1; DROP TABLE event"},
        {"id": "in_1"},
        {"id": None},
        {"object": "customer"},
        {"type": ""},
        {"type": "a b"},
        {"type": ["customer.created"]},
        {"created": True},
        {"created": -1},
        {"created": 253_402_300_800},
        {"created": "2026-11-20T00:00:05Z"},
        {"livemode": "false"},
        {"livemode": None},
    ],
)
def test_an_envelope_with_a_wrong_field_is_no_event(event, fields):
    assert parse(event(**fields)) is None


@pytest.mark.parametrize("created", [5, "yesterday", "2026-11-20T00:00:05", "0001-01-01T00:00:00+14:00"])
def test_a_thin_event_without_an_instant_is_no_event(event, created):
    assert parse(event(object="v2.core.event", created=created)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe{\x00}\x00",
        b"[]",
        b"{}",
        b"null",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"9" * 5_000,
        b'{"id": NaN}',
    ],
)
def test_bytes_that_are_no_envelope_are_no_event(body):
    assert parse(body) is None


def test_a_name_that_stands_twice_makes_it_no_event(event):
    assert parse(event().replace(b"{", b'{"livemode": true, ', 1)) is None


def test_an_event_nested_deeper_than_stripes_is_no_event(event):
    assert parse(event(data=json.loads("[" * 32 + "]" * 32))) is None


@given(st.binary() | JSON.map(lambda told: json.dumps(told).encode()))
def test_parsing_anything_never_raises(body):
    assert parse(body) is None


@given(st.dictionaries(ENVELOPE, JSON))
def test_parsing_an_event_with_anything_in_its_fields_never_raises(event, fields):
    assert isinstance(parse(event(**fields)), Event | None)


@given(st.dictionaries(ENVELOPE, JSON))
def test_parsing_what_lacks_fields_never_raises(fields):
    body = json.dumps({"id": "evt_1"} | fields).encode()

    assert isinstance(parse_lacking(body, received_at=datetime.now(UTC)), Event | None)


def test_a_number_beyond_all_numbers_is_no_event():
    assert parse_lacking(b'{"id": "evt_1", "data": 1e999}', received_at=datetime.now(UTC)) is None
