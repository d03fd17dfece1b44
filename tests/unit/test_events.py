"""The format of events on the bus."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_shared.contract.events import Event, pack, unpack

events = st.builds(
    Event,
    type=st.sampled_from(["message.new", "typing.start"]),
    conversation_id=st.uuids().map(str),
    pos=st.integers(0, 2**62),
    user_id=st.integers(0, 2**53 - 1),
    frame=st.binary().map(lambda rest: b"{" + rest),
    at=st.just(0.0),
)


@given(st.lists(events))
def test_what_is_packed_is_unpacked(batch: list[Event]) -> None:
    begun = time.time()
    events = unpack(pack(batch))
    assert [event._replace(at=0.0) for event in events] == batch
    assert all(begun <= event.at <= time.time() for event in events)


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"x", b"[]", b"[[1]]\n", b"5\n"),
        *(b'[["a","b",1,2,9,0.5]]\nshort', b'[["a","b",1,2,2,0.5]]\n{}{}'),
        *(
            b'[["a","b",1,2,0,0.5]]\n',
            b'[["a","b",1,2,2,0.5]]\n[]',
            b'[["a","b",-1,2,2,0.5]]\n{}',
            b'[["a","b","1",2,2,0.5]]\n{}',
        ),
        *(b'[["a","b",1.0,2,2,0.5]]\n{}', b'[["a",null,1,2,2,0.5]]\n{}', b'[[["a"],"b",1,2,2,0.5]]\n{}'),
        *(b'[["a","b",1,true,2,0.5]]\n{}', b'[["a","b",1,2,2,null]]\n{}'),
        b'[["a","b",1,2,600000,0.5]]\n{' + b"x" * 599_999,
    ],
)
def test_garbage_is_refused_as_such(payload: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        unpack(payload)
