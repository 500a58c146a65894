"""A shop with something of everything in it, and what must hold of it wherever it is restored."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.vault.audit import sealed
from tests.vault.conftest import Shop
from tests.vault.enforcing import enforce
from vault import fields
from vault.columns import Column, Spec
from vault.credentials import Login, Origin
from vault.errors import InvalidRequest

GOOD = "correct horse, battery, staple"
HOME = Origin(ip="192.0.2.7", device="phone-1", agent="app 1.0")
NOTES = [b'{"a": 1}', None]
SHAPED = {"phone": "13800138001", "bank_card": "4111111111111111", "resident_id": "11010519491231002X"}
POLICY = """format = 1
[roles.all]
[[roles.all.allow]]
operations = ["*"]
fields = ["*"]
purposes = ["*"]
view = "full"
reason = "a test looks at everything"
[callers]
"*" = ["all"]
[sweep]
misses = 777
pause = 5
"""


@dataclass(slots=True)
class Filled:
    """What was stored in a shop.

    Attributes:
        values: field and value by token, of one-way tokens None.
        repeated: values by field and kind whose token is the same every time, and that token.
        logins: that have the good password; `api_key`: the text of one that works.
    """

    values: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    repeated: dict[tuple[str, str, str], str] = field(default_factory=dict)
    logins: list[Login] = field(default_factory=list)
    api_key: str = ""
    revoked: str = ""


def fill(shop: Shop) -> Filled:
    """Store tokens of every kind and field type, persons, notes, passwords, keys, a policy, decoys; seal records."""
    filled = Filled()
    for kind in fields.all():
        if kind.name != "login_record":
            _field(shop, filled, kind.name, kind.sample, kind.lookup)
    for name, value in SHAPED.items():
        try:
            _keep(shop, filled, name, shop.tokenize(name, value, kind="shaped"))
        except InvalidRequest:
            continue
    column = Column("email", ["a@example.com", "b@example.com"], Spec(ttl=3_600, tags=["vip"]), None, NOTES)
    (made,) = shop.vault.tokenize(shop.actor, [column])
    _keep(shop, filled, "email", [token for token in made.tokens if token])
    decoy = shop.vault.governance.make_decoys(shop.actor, "phone", 1, ["+8613911112222"], Spec())
    filled.values |= {token: ("phone", "+8613911112222") for token in decoy.tokens if token}
    for name, subject in (("li.lei_1985", "customer-1"), ("han.meimei", None)):
        (token,) = shop.tokenize("login_name", name, subjects=[subject], deterministic=True)
        shop.vault.store_password(shop.actor, Login(token=token), GOOD)
        filled.logins.append(Login(token=token))
        filled.values[token] = "login_name", name
    shop.vault.store_password(shop.actor, Login(subject="customer-2"), GOOD)
    filled.logins.append(Login(subject="customer-2"))
    assert all(right(shop, login) for login in filled.logins)
    (_, filled.api_key), (dead, filled.revoked) = (
        shop.vault.create_api_key(shop.actor, name, ["reveal"]) for name in ("till", "old till")
    )
    shop.vault.revoke_api_key(shop.actor, dead.id)
    enforce(shop, POLICY)
    sealed.sealer(shop.resources).run_once()
    shop.tokenize("phone", "13800138099")  # what is in no tree yet
    return filled


def _field(shop: Shop, filled: Filled, name: str, sample: str, lookup: bool) -> None:
    _keep(shop, filled, name, shop.tokenize(name, sample, sample, subjects=["customer-1", None]))
    if not lookup:
        return
    for kind, scope in (("opaque", None), ("opaque", "partner"), ("one_way", None)):
        spec = {"kind": kind, "deterministic": kind == "opaque", "scope": scope}
        (token,) = shop.tokenize(name, sample, **spec)
        filled.repeated[name, kind, scope or ""] = token
        filled.values[token] = name, None if kind == "one_way" else shop.plain(token)[0]


def _keep(shop: Shop, filled: Filled, name: str, tokens: list[str]) -> None:
    told = shop.plain(*tokens, field=name)
    filled.values |= {token: (name, value) for token, value in zip(tokens, told, strict=True)}


def right(shop: Shop, login: Login, password: str = GOOD) -> bool:
    """Whether a password is a login's."""
    return shop.vault.verify_password(shop.actor, login, password, HOME).verified


def require_same(shop: Shop, filled: Filled, gone: frozenset[str] = frozenset()) -> None:
    """Return if all that was stored is there and works: values, finding, repeating, passwords, keys, policy."""
    for name in {of for of, _ in filled.values.values()}:
        mine = {
            token: value for token, (of, value) in filled.values.items() if of == name and value is not None
        }
        wanted = [None if token in gone else value for token, value in mine.items()]
        assert shop.plain(*mine, field=name) == wanted, name
    for (name, kind, scope), token in filled.repeated.items():
        if token not in gone:
            spec = {"kind": kind, "deterministic": kind == "opaque", "scope": scope or None}
            assert shop.tokenize(name, fields.get(name).sample, **spec) == [token], (name, kind)
    assert all(right(shop, login) for login in filled.logins)
    assert not right(shop, filled.logins[0], "another sentence altogether")
    assert shop.vault.find_api_key(filled.api_key) is not None
    policy = shop.vault.governance.policy(shop.actor)
    assert (policy.version, "misses = 777" in policy.document) == (1, True)


def found(shop: Shop) -> dict[str, set[str]]:
    """Return the tokens that a look-up of each field's sample gives."""
    answers = {}
    for kind in fields.all():
        if kind.lookup:
            (matches,) = shop.vault.find(shop.actor, kind.name, [kind.sample]).matches
            answers[kind.name] = set(matches or ())
    return answers
