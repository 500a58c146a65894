"""What is shown of values: all, all but what their mask hides, the last characters, or a fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

from keys.openkeys import OpenKey
from vault import fields, index
from vault.columns import View
from vault.errors import InvalidRequest
from vault.policy.model import Seen

FORMER = {"plain": "full"}  # names of versions before policies


def seen(view: str) -> Seen:
    """Return the view under its name of today; InvalidRequest if there is none of that name."""
    if view not in get_args(View):
        raise InvalidRequest("view must be masked, full, last4, fingerprint or plain", "/view")
    return cast("Seen", FORMER.get(view, view))


def shown(
    view: Seen, route: OpenKey, tenant: int, names: Sequence[str], values: Sequence[bytes]
) -> list[str]:
    """Return what a view shows of canonical values.

    Args:
        view: any but `match`, of which nothing is shown.
        route: the route keyset's primary, which never rotates: the same value of a field has one fingerprint for ever.
        names: each value's field type, as long as `values`.
        values: in UTF-8.
    """
    if view == "full":
        return [value.decode() for value in values]
    if view == "fingerprint":
        return _fingerprints(route, tenant, names, values)
    types = {name: fields.get(name) for name in set(names)}
    shows = {name: kind.mask if view == "masked" else kind.last4 for name, kind in types.items()}
    return [shows[name](value.decode()) for name, value in zip(names, values, strict=True)]


def _fingerprints(route: OpenKey, tenant: int, names: Sequence[str], values: Sequence[bytes]) -> list[str]:
    made = [""] * len(values)
    for field in dict.fromkeys(names):
        places = [at for at, name in enumerate(names) if name == field]
        digests = index.fingerprints(route, tenant, field, [values[at] for at in places])
        for at, digest in zip(places, digests, strict=True):
            made[at] = "fp_" + digest.hex()
    return made
