"""A column cut into requests that the server takes, and its replies put together again in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

from msgspec import Struct

from strongroom_client import problems
from strongroom_client.errors import BadReply, InvalidArgument, Refused
from strongroom_client.results import Description, ItemError, Metadata
from strongroom_client.retries import Repeat
from strongroom_client.session import Session, encode, new_idempotency_key

MAX_ITEMS = 10_000  # a request
MAX_FIND = 1_000  # values a look-up
MAX_KEY = 200  # characters of an Idempotency-Key
MAX_BODY = 8 * 1024 * 1024  # bytes of a request's body

Progress = Callable[[int], None]


class WireError(Struct):
    """One refused item, as the server says it; `index` counts within the request."""

    index: int
    code: str
    detail: str = ""
    pointer: str = ""


class Part(Struct, kw_only=True):
    """Root of the column replies on the wire."""

    errors: list[WireError] = []

    def answers(self) -> Sequence[object] | None:
        """Return what must be as long as the request was; None if nothing is."""
        return None


class TokenPart(Part):
    """Reply of /v1/tokens/column and /v1/tokens/items."""

    tokens: list[str | None]

    def answers(self) -> Sequence[object]:
        """Return the tokens."""
        return self.tokens


class ValuePart(Part):
    """Reply of /v1/reveal."""

    values: list[str | None]
    metadata: list[Metadata | None] | None = None

    def answers(self) -> Sequence[object]:
        """Return the values."""
        return self.values


class ComparedPart(Part):
    """Reply of /v1/compare."""

    matches: list[bool | None]

    def answers(self) -> Sequence[object]:
        """Return the matches."""
        return self.matches


class DescriptionPart(Part):
    """Reply of /v1/tokens/describe."""

    tokens: list[Description | None]

    def answers(self) -> Sequence[object]:
        """Return the descriptions."""
        return self.tokens


class MatchPart(Part):
    """Reply of /v1/find."""

    matches: list[list[str] | None]

    def answers(self) -> Sequence[object]:
        """Return the matches."""
        return self.matches


class ImportPart(Part):
    """Reply of /v1/passwords/import."""

    imported: int


class DeletionPart(Part):
    """Reply of /v1/tokens/delete."""

    deleted: int


P = TypeVar("P", bound=Part)
A = TypeVar("A")


@dataclass(frozen=True, slots=True, repr=False)
class Plan(Generic[P]):
    """How a column travels.

    Attributes:
        path: where to.
        key: name of the list in the body.
        into: type of the reply.
        rest: the body's other members.
        limit: items a request.
        idempotency_key: of the whole column; None for a call that only reads.
        repeat: which of its requests may be sent again.
    """

    path: str
    key: str
    into: type[P]
    rest: Mapping[str, object] = field(default_factory=dict)
    limit: int = MAX_ITEMS
    idempotency_key: str | None = None
    repeat: Repeat = Repeat.SAFE


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """Items that lie together, the first being number `start`; `beside`: lists as long as `items`."""

    start: int
    items: Sequence[object]
    beside: Mapping[str, Sequence[object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Piece(Generic[P]):
    """The reply to one request for `positions` of the batch, from 0; errors count in the whole column."""

    positions: Sequence[int]
    part: P | None
    errors: list[ItemError]


def batches(
    items: Iterable[object], beside: Mapping[str, Iterable[object] | None], limit: int
) -> Iterator[Batch]:
    """Cut columns that belong together into batches of `limit`; raise InvalidArgument if one is shorter."""
    if isinstance(items, (str, bytes)):
        raise InvalidArgument("a column is a list of texts, not one text")
    names = [name for name, column in beside.items() if column is not None]
    sources = [iter(items), *(iter(column) for column in beside.values() if column is not None)]
    start = 0
    while True:
        first, *others = [list(islice(source, limit)) for source in sources]
        if any(len(other) != len(first) for other in others):
            raise InvalidArgument("columns given together must be equally long")
        if not first:
            return
        yield Batch(start, first, dict(zip(names, others, strict=True)))
        start += len(first)


def send(session: Session, plan: Plan[P], batch: Batch) -> Iterator[Piece[P]]:
    """Send `batch` in as few requests as fit; yield their replies in order, first what cannot be sent."""
    sound, refused = _sound(plan.key, batch)
    if refused:
        yield Piece((), None, refused)
    todo = [sound] if sound else []
    while todo:
        positions = todo.pop()
        body = _body(plan, batch, positions)
        if len(body) <= MAX_BODY:
            yield _exchange(session, plan, batch, positions, body)
        elif len(positions) > 1:
            half = len(positions) // 2
            todo += [positions[half:], positions[:half]]
        else:
            at = batch.start + positions[0]
            detail = f"larger than a request may be ({MAX_BODY} bytes)"
            yield Piece((), None, [ItemError(at, "body_too_large", detail, f"/{plan.key}/{at}")])


def collect(batch: Batch, pieces: Iterable[Piece[P]], progress: Progress | None) -> Collected[P]:
    """Let the pieces of `batch` be sent; `progress` hears after each how much of the column is done."""
    parts: list[tuple[Sequence[int], P]] = []
    errors: list[ItemError] = []
    for piece in pieces:
        errors += piece.errors
        if piece.part is not None:
            parts.append((piece.positions, piece.part))
        if progress is not None and piece.positions:
            progress(batch.start + piece.positions[-1] + 1)
    return Collected(len(batch.items), parts, sorted(errors, key=lambda error: error.index))


@dataclass(frozen=True, slots=True, repr=False)
class Collected(Generic[P]):
    """All replies for a batch of `count` items."""

    count: int
    parts: list[tuple[Sequence[int], P]]
    errors: list[ItemError]

    def spread(self, take: Callable[[P], Sequence[A | None]]) -> list[A | None]:
        """Return what `take` finds in the replies, each where its item was; None where there is no answer."""
        answers: list[A | None] = [None] * self.count
        for positions, part in self.parts:
            for position, answer in zip(positions, take(part), strict=True):
                answers[position] = answer
        return answers


def _sound(key: str, batch: Batch) -> tuple[Sequence[int], list[ItemError]]:
    """Return which items can be sent, and errors for those that cannot; None is neither: it stays None."""
    values = (
        [item.get("value") for item in batch.items if isinstance(item, Mapping)]
        if key == "items"
        else batch.items
    )
    if _all_text(values):
        return range(len(values)), []
    positions, refused = [], []
    for position, item in enumerate(values):
        if _all_text((item,)):
            positions.append(position)
        elif item is not None:
            at = batch.start + position
            why = "not valid Unicode (a lone surrogate)" if isinstance(item, str) else "must be a string"
            refused.append(ItemError(at, "invalid_value", why, f"/{key}/{at}"))
    return positions, refused


def _all_text(items: Sequence[object]) -> bool:
    try:
        "".join(items).encode()  # type: ignore[arg-type]
    except (TypeError, UnicodeEncodeError):
        return False
    return True


def _body(plan: Plan[P], batch: Batch, positions: Sequence[int]) -> bytes:
    def chosen(column: Sequence[object]) -> Sequence[object]:
        if isinstance(positions, range):
            return column[positions.start : positions.stop]
        return [column[position] for position in positions]

    beside = {name: chosen(column) for name, column in batch.beside.items()}
    return encode({**plan.rest, plan.key: chosen(batch.items), **beside})


def _exchange(
    session: Session, plan: Plan[P], batch: Batch, positions: Sequence[int], body: bytes
) -> Piece[P]:
    own = plan.idempotency_key
    if own is not None:  # each request of the column has its own, the same ones if the column is sent again
        own = f"{own}.{batch.start + positions[0]}" if batch.start + positions[0] else own
    sent = _Sent(plan, batch, positions)
    part = session._call(
        "POST", plan.path, plan.into, body=body, repeat=plan.repeat, idempotency_key=own, sent=sent
    )
    answers = part.answers()
    if answers is not None and len(answers) != len(positions):
        raise BadReply("the reply cannot be used: it answers another number of items than were sent")
    return Piece(positions, part, [_item_error(error, plan.key, batch, positions) for error in part.errors])


class _Sent:
    """The texts of a request, walked only when an error's words are checked."""

    def __init__(self, plan: Plan[P], batch: Batch, positions: Sequence[int]) -> None:
        self._columns = [batch.items, *batch.beside.values()]
        self._positions = positions

    def __iter__(self) -> Iterator[object]:
        for column in self._columns:
            for position in self._positions:
                yield from texts(column[position])


def texts(item: object) -> Iterator[object]:
    """Yield every text in an item and in what it holds."""
    if isinstance(item, Mapping):
        for value in item.values():
            yield from texts(value)
    elif item is not None:
        yield item


def _item_error(error: WireError, key: str, batch: Batch, positions: Sequence[int]) -> ItemError:
    if not 0 <= error.index < len(positions):
        raise BadReply("the reply cannot be used: it refuses an item that was not sent")
    position = positions[error.index]
    at = batch.start + position
    sent = [text for column in (batch.items, *batch.beside.values()) for text in texts(column[position])]
    beyond = (
        error.pointer.removeprefix(f"/{key}/{error.index}")
        if error.pointer.startswith(f"/{key}/{error.index}/")
        else ""
    )
    pointer = problems.place(f"/{key}/{at}{beyond}", sent) or f"/{key}/{at}"
    code = problems.code(error.code)
    return ItemError(at, code, problems.words(error.detail, sent) or code, pointer)


def key_for(given: str | None) -> str:
    """Return the Idempotency-Key of a column: the caller's, or a new one; raise InvalidArgument if it is too long.

    A later request's has a number behind it: one that does not fit is to be heard of before the first is sent.
    """
    if given is not None and len(given) > MAX_KEY:
        raise InvalidArgument(f"an idempotency key is 1 to {MAX_KEY} printable ASCII characters")
    return given if given is not None else new_idempotency_key()


def only(answers: Sequence[A | None], errors: Sequence[ItemError]) -> A:
    """Return the answer of a column of one; raise Refused if its only item was refused."""
    if errors:
        raise Refused(errors[0].detail, code=errors[0].code, pointer=errors[0].pointer)
    if len(answers) != 1 or answers[0] is None:
        raise BadReply("the reply cannot be used: it neither answers nor refuses the only item")
    return answers[0]
