"""One embedding budget for several cameras: what a quiet one leaves goes to the busy ones."""

from __future__ import annotations

from collections.abc import Iterable


class SharedBudget:
    """Keeps account of who lends milliseconds to whom. Pure: it has no clock and no model.

    Every frame brings its camera's own limit. What the frame does not spend is lent in equal parts
    to the busy cameras, to all others while none is busy, and stands until the lender's next frame:
    then a new loan takes the place of the old one, used or not. So the cameras together never get
    more than their own limits, no loan grows old, and each keeps its own limit whole. A camera is
    busy while its latest frame left embeddings waiting, or took more than its own limit.
    """

    def __init__(self) -> None:
        self._members: list[int] = []
        self._loans: dict[int, dict[int, float]] = {}
        self._busy: set[int] = set()

    def join(self, member: int) -> None:
        """Take a camera in; it is quiet until its first frame."""
        self._members.append(member)
        self._loans[member] = {}

    def leave(self, member: int) -> None:
        """Let a camera go, and what it has lent with it."""
        self._members.remove(member)
        self._busy.discard(member)
        del self._loans[member]
        self._take_back(member)

    def order(self, members: Iterable[int]) -> list[int]:
        """The cameras of a round, quiet ones first, so that they have lent when busy ones spend."""
        return sorted(members, key=lambda member: member in self._busy)

    def limit_ms(self, member: int, own_ms: float) -> float:
        """What the next frame of a camera may spend, in milliseconds.

        Args:
            member: the camera.
            own_ms: its own limit.
        """
        return own_ms + sum(self._loans[member].values())

    def settle(self, member: int, own_ms: float, spent_ms: float, *, waiting: bool) -> None:
        """Book a frame: its loans are used up, and what is left of its own limit is lent.

        Args:
            member: the camera.
            own_ms: its own limit.
            spent_ms: milliseconds that the frame took.
            waiting: embeddings wait that did not fit.
        """
        self._loans[member].clear()
        self._take_back(member)
        if waiting or spent_ms > own_ms:
            self._busy.add(member)
            return
        self._busy.discard(member)
        others = [other for other in self._members if other != member]
        takers = [other for other in others if other in self._busy] or others
        for taker in takers:
            self._loans[taker][member] = (own_ms - spent_ms) / len(takers)

    def _take_back(self, lender: int) -> None:
        for loans in self._loans.values():
            loans.pop(lender, None)
