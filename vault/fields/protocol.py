"""What a field type is: any module with these names in it satisfies `FieldType`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

Classification = Literal["C1", "C2", "C3"]  # JR/T 0171-2020, section 4; C3 is never stored
Alphabets = tuple[str, ...]  # for each position of a shaped token the characters it is drawn from


class Check(Protocol):
    """A check-digit scheme over canonical values."""

    @property
    def modulus(self) -> int:
        """The scheme's modulus: 10, 11, 31 or 97."""

    @property
    def positions(self) -> Callable[[str], tuple[int, ...]]:
        """Positions of the check characters in a text of that length; empty if the text carries none."""

    @property
    def ok(self) -> Callable[[str], bool]:
        """Whether the check characters are right. (A question, not a check: tokens are made to fail it.)"""


class FieldType(Protocol):
    """One kind of value: how it is spelled, shown, classed and shaped."""

    @property
    def name(self) -> str:
        """The field's name in the API, in lower case."""

    @property
    def sample(self) -> str:
        """A made-up or published test value, as a person may write it."""

    @property
    def classification(self) -> Classification:
        """The highest class of JR/T 0171-2020 that values of this type reach."""

    @property
    def lookup(self) -> bool:
        """Whether values may be indexed, and so found, repeated or made one-way."""

    @property
    def max_length(self) -> int:
        """Characters of the longest canonical value."""

    @property
    def options(self) -> frozenset[str]:
        """Names of the keyword arguments of `normalize` that a caller may set."""

    @property
    def check(self) -> Check | None:
        """The check-digit scheme of its values, if there is one."""

    @property
    def reserved(self) -> str | None:
        """What follows the fixed positions of a token, and of no real value, where there is no check digit.

        So no token is taken for a real value. None: there is a check digit, or no such prefix.
        """

    @property
    def normalize(self) -> Callable[..., str]:
        """Return the canonical form of a text, or raise InvalidValue; InvalidOption for a wrong option.

        Idempotent: a canonical form is its own canonical form.
        """

    @property
    def mask(self) -> Callable[[str], str]:
        """Show as much of a canonical value as anyone may see; never the whole."""

    @property
    def last4(self) -> Callable[[str], str]:
        """Show the last 4 characters of a canonical value, of one of 8 or fewer a quarter; never the whole.

        Nothing is shown of names, addresses, free text and log-ins on record, whose ends say who, where and what.
        """

    @property
    def shape(self) -> Callable[[str], Alphabets | None]:
        """The alphabet of each position of a token shaped like this canonical value.

        An alphabet of one character is a fixed position. None if no token can be shaped like the value.
        """
