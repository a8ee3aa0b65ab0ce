"""What a call gets in place of the values that it is given, where nothing is swapped: the base of `Swaps`."""

from __future__ import annotations

from typing import Any


class Unswapped:
    """What stands for values where nothing is swapped: they themselves."""

    def __init__(self) -> None:
        # The identities of forms, with what they stand for.
        self.origins: dict[int, Any] = {}

    def __call__(self, value: Any) -> Any:
        return value

    def holds(self, value: Any) -> bool:
        """Whether something else stands for a value."""
        return False
