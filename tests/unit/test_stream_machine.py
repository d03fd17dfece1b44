"""The ordered stream against a plain model, over a bus that drops, repeats, delays and reorders events."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.connections.ordered_stream import OrderedStream
from messenger_shared.contract.events import MESSAGE_EDITED, MESSAGE_NEW, Event

CHANCE = st.floats(0, 1, exclude_max=True)
THINGS = st.lists(st.integers(0, 5), max_size=6)


class StreamMachine(RuleBasedStateMachine):
    """Things change one after the other; each change is an event on an unreliable bus."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = OrderedStream()
        # The thing that changed at position 1, 2, 3 and so on.
        self.truth: list[int] = []
        self.bus: list[Event] = []
        # Answers of chat-api that are under way: (events, the position up to which they are complete).
        self.answers: list[tuple[list[Event], int]] = []
        self.out: list[Event] = []
        self.start: int | None = None
        # The highest position that the stream has learned of, and the positions of the events it was given.
        self.received = 0
        self.offered: set[int] = set()

    @initialize(things=THINGS)
    def has_a_past(self, things: list[int]) -> None:
        self.happens(things)

    @rule(things=THINGS)
    def happens(self, things: list[int]) -> None:
        """Some things change, new ones or old ones."""
        for thing in things:
            self.truth.append(thing)
            self.bus.append(self.event(len(self.truth)))

    @precondition(lambda self: self.bus)
    @rule(number=st.integers(1, 4))
    def bus_delivers(self, number: int) -> None:
        """Delivers the oldest events in order."""
        for event in self.bus[:number]:
            self.bus.remove(event)
            self.offers(event)

    @precondition(lambda self: self.bus)
    @rule(which=CHANCE, is_repeated=st.booleans())
    def bus_delivers_out_of_order(self, which: float, is_repeated: bool) -> None:
        """Delivers any event; it may come again."""
        index = int(which * len(self.bus))
        self.offers(self.bus[index] if is_repeated else self.bus.pop(index))

    @precondition(lambda self: self.bus)
    @rule(which=CHANCE)
    def bus_drops(self, which: float) -> None:
        del self.bus[int(which * len(self.bus))]

    @precondition(lambda self: self.start is None)
    @rule(where=CHANCE)
    def begins(self, where: float) -> None:
        """The stream begins at a position that was read some time ago."""
        self.start = int(where * (len(self.truth) + 1))
        self.goes_out(self.stream.begin(self.start))

    @rule(where=CHANCE)
    def heads_say(self, where: float) -> None:
        pos = int(where * (len(self.truth) + 1))
        self.received = max(self.received, pos)
        self.stream.expect(pos)

    @precondition(lambda self: self.stream.has_hole)
    @rule(cut=CHANCE)
    def repair_asks(self, cut: float) -> None:
        """chat-api answers with each thing's latest state, and if there are many, only with the first."""
        self.answers.append(self.changes(self.stream.last_pos, cut))

    @precondition(lambda self: self.answers)
    @rule(which=CHANCE)
    def repair_is_answered(self, which: float) -> None:
        events, upto = self.answers.pop(int(which * len(self.answers)))
        self.goes_out(self.stream.fill(events, upto))

    @rule(is_full=st.sampled_from([True, *[False] * 5]))
    def forgets(self, is_full: bool) -> None:
        """Happens when all streams together hold too much."""
        if is_full:
            self.stream.clear_ring()

    @rule(where=CHANCE)
    def somebody_comes_back(self, where: float) -> None:
        """A returning client gets every single change after its position, or nothing."""
        pos = int(where * (len(self.truth) + 2))
        self.can_come_back(pos)

    @invariant()
    def who_stands_just_before_can_come_back(self) -> None:
        for pos in range(max(0, self.stream.last_pos - 5), self.stream.last_pos + 1):
            self.can_come_back(pos)

    @invariant()
    def what_went_out_is_true_and_in_order(self) -> None:
        positions = [event.pos for event in self.out]
        assert positions == sorted(set(positions))
        assert all(event == self.event(event.pos) for event in self.out)

    @invariant()
    def nothing_is_left_out_but_what_was_overtaken(self) -> None:
        if self.start is not None:
            told = {event.pos for event in self.out}
            for pos in range(self.start + 1, self.stream.last_pos + 1):
                assert pos in told or self.truth[pos - 1] in self.truth[pos:]

    @invariant()
    def what_is_missing_is_known(self) -> None:
        is_missing = self.start is not None and self.received > self.stream.last_pos
        assert self.stream.has_hole == is_missing

    @invariant()
    def what_is_there_is_not_held_back(self) -> None:
        assert self.start is None or self.stream.last_pos + 1 not in self.offered

    @invariant()
    def what_is_kept_is_counted(self) -> None:
        kept = self.stream._ring or ()
        assert self.stream.ring_bytes == sum(len(event.frame) for event in kept)

    def teardown(self) -> None:
        """In the end everything has been delivered in its last state."""
        if self.start is None:
            self.begins(0.0)
        head = len(self.truth)
        self.stream.expect(head)
        while self.stream.has_hole:
            self.goes_out(self.stream.fill(*self.changes(self.stream.last_pos, 0.9)))
        assert self.stream.last_pos == head
        told = {event.pos for event in self.out}
        last = {thing: pos for pos, thing in enumerate(self.truth, 1)}
        assert {pos for pos in last.values() if pos > (self.start or 0)} <= told

    def event(self, pos: int) -> Event:
        """Returns the event at this position."""
        thing = self.truth[pos - 1]
        type_ = MESSAGE_EDITED if thing in self.truth[: pos - 1] else MESSAGE_NEW
        return Event(type_, "c", pos, thing, b"%d is at %d" % (thing, pos))

    def changes(self, after: int, cut: float) -> tuple[list[Event], int]:
        """Returns the latest states above `after`, and the position up to which they are complete."""
        last = {thing: pos for pos, thing in enumerate(self.truth, 1)}
        positions = sorted(pos for pos in last.values() if pos > after)
        number = len(positions) - int(cut * len(positions) / 2)
        if number == len(positions):
            return [self.event(pos) for pos in positions], max(len(self.truth), after)
        kept = positions[:number]
        return [self.event(pos) for pos in kept], kept[-1]

    def can_come_back(self, pos: int) -> None:
        """The stream returns each change since this position, or nothing."""
        since = self.stream.released_above(pos)
        if since is not None:
            assert [event.pos for event in since] == list(range(pos + 1, self.stream.last_pos + 1))
            assert since == [event for event in self.out if event.pos > pos]

    def offers(self, event: Event) -> None:
        self.received = max(self.received, event.pos)
        self.offered.add(event.pos)
        self.goes_out(self.stream.offer(event))

    def goes_out(self, events: list[Event]) -> None:
        self.out += events


StreamMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=60)
test_under_any_bus_each_thing_goes_out_in_order_and_in_its_last_state = StreamMachine.TestCase
