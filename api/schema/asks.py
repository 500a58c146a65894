"""What requests hold; an unknown member is refused, so that no misspelt option is silently off."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from vault.columns import MAX_FIND, MAX_ITEMS, MAX_TAGS, PURPOSES
from vault.custody import LEAST_WAIT, LONGEST_WAIT, USUAL_WAIT

# The end is `\Z`, for `$` would let a newline pass; api/openapi.py writes `$`, which is what JSON Schema has.
Scope = Annotated[
    str, Meta(pattern=r"^[a-z0-9_.:-]{1,64}\Z", description="The space of a deterministic token.")
]
Source = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z", description="Channel or partner of the values.")
]
Seconds = Annotated[int, Meta(ge=1, le=3_155_760_000, description="Seconds to live; at most 100 years.")]
Subject = Annotated[
    str, Meta(min_length=1, max_length=128, description="Your own id of the person or company.")
]
Metadata = Annotated[
    dict[str, str], Meta(max_length=16, description="Sealed beside the value; 4,096 bytes as JSON.")
]
Field = Annotated[str, Meta(description="A field type, see GET /v1/fields.", examples=["phone"])]
Text = Annotated[str, Meta(description="At most 65,536 bytes in UTF-8.")]
Purpose = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description=f"What for: {', '.join(sorted(PURPOSES))}, or one that the policy adds.",
        examples=["service"],
    ),
]
Reference = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_.:/-]{1,64}\Z", description="A reference in your own files.")
]
Tag = Annotated[str, Meta(pattern=r"^[a-z0-9_.:-]{1,32}\Z", examples=["vip"])]
Role = Annotated[str, Meta(min_length=1, max_length=64, description="A role of the policy.")]
View = Literal["masked", "full", "last4", "fingerprint", "plain"]
Texts = Annotated[list[str], Meta(extra_json_schema={"maxItems": MAX_ITEMS})]
FewTexts = Annotated[list[str], Meta(extra_json_schema={"maxItems": MAX_FIND})]
Limit = Annotated[int, Meta(ge=1, le=1_000, description="How many at most.")]
Cursor = Annotated[str, Meta(max_length=1_024, description="`next_cursor` of the page before.")]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.: -]{1,64}\Z", examples=["checkout"])]
RootName = Annotated[
    str, Meta(min_length=1, max_length=128, description="A root key of the settings, see GET /v1/roots.")
]
KeySeconds = Annotated[int, Meta(ge=1, le=315_360_000, description="Seconds to live; at most ten years.")]


class Ask(Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Root of what comes in."""


class Keep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Characters of the value that a shaped token keeps."""

    first: Annotated[int, Meta(ge=0, le=8)] = 0
    last: Annotated[int, Meta(ge=0, le=4)] = 0


class FieldOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a field type lets the caller say: `luhn` of a bank_card, `region` of a phone."""

    luhn: bool | None = None
    region: Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z", examples=["CN"])] | None = None


class TokenOptions(Ask, kw_only=True):
    """How tokens are made; all optional."""

    kind: Literal["opaque", "shaped", "one_way"] = "opaque"
    deterministic: bool = False
    scope: Scope | None = None
    ttl_seconds: Seconds | None = None
    source: Source | None = None
    options: FieldOptions | None = None
    keep: Keep | None = None
    check: Literal["invalid", "valid"] = "invalid"
    lookalike: bool = False
    tags: Annotated[
        list[Tag], Meta(max_length=MAX_TAGS, description="Words that the policy may ask for.")
    ] = []


class NewToken(TokenOptions, kw_only=True):
    """One value to tokenize."""

    field: Field
    value: Text
    subject: Subject | None = None
    metadata: Metadata | None = None


class NewColumn(TokenOptions, kw_only=True):
    """Values of one field type, the fast form; `subjects` and `metadata` are as long as `values`."""

    field: Field
    values: Texts
    subjects: list[str | None] | None = None
    metadata: list[Metadata | None] | None = None


class LooseColumn(NewColumn, kw_only=True):
    """A column in which something is not a string: each such value is refused alone."""

    values: list[Any]


class NewItems(Ask, kw_only=True):
    """Mixed values to tokenize; a column for each field is faster."""

    items: Annotated[list[NewToken], Meta(extra_json_schema={"maxItems": MAX_ITEMS})]


class LooseToken(NewToken, kw_only=True):
    """An item whose value is not a string."""

    value: Any


class LooseItems(Ask, kw_only=True):
    """Items in which some value is not a string: each such item is refused alone."""

    items: list[LooseToken]


class TokenList(Ask, kw_only=True):
    """Tokens of any kind; `field` is required for shaped ones, which do not say it themselves."""

    tokens: Texts
    field: Field | None = None


class LooseTokenList(TokenList, kw_only=True):
    """A list of tokens in which something is not a string."""

    tokens: list[Any]


class TokensForPurpose(TokenList, kw_only=True):
    """Tokens, the purpose, the references that it needs, and the person whose tokens alone are meant."""

    purpose: Purpose
    case: Reference | None = None
    consent: Reference | None = None
    subject: Subject | None = None


class Reveal(TokensForPurpose, kw_only=True):
    """Tokens to turn back into values; `metadata` and view `full` (`plain` once) need the operation reveal_plain."""

    view: View = "masked"
    metadata: bool = False


class LooseReveal(Reveal, kw_only=True):
    """A reveal in which some token is not a string."""

    tokens: list[Any]


class Compare(TokensForPurpose, kw_only=True):
    """Tokens, and beside each the value that it is held against; `options` are the field type's."""

    values: Texts
    options: FieldOptions | None = None


class LooseCompare(Compare, kw_only=True):
    """A comparison in which some token or value is not a string."""

    tokens: list[Any]
    values: list[Any]


class Find(Ask, kw_only=True):
    """Values whose tokens are looked for."""

    field: Field
    values: FewTexts
    scope: Scope | None = None
    options: FieldOptions | None = None


class LooseFind(Find, kw_only=True):
    """A look-up in which some value is not a string."""

    values: list[Any]


class PageQuery(Ask, kw_only=True):
    """Which page of a list."""

    cursor: Cursor | None = None
    limit: Limit = 100


class TokenQuery(PageQuery, kw_only=True):
    """Which page of the tokens, and of which field."""

    field: Field | None = None


class NewApiKey(Ask, kw_only=True):
    """An API key to make: never good for more than the key that asks for it."""

    name: Name
    operations: Annotated[list[str], Meta(min_length=1, max_length=32)]
    fields: Annotated[list[str], Meta(min_length=1, max_length=256)] | None = None
    expires_in_seconds: KeySeconds | None = None
    roles: Annotated[list[Role], Meta(max_length=32)] = []


class Rotation(Ask, kw_only=True):
    """How long the old text of an API key stays good."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=2_592_000)] = 86_400


class Destruction(Ask, kw_only=True):
    """How many seconds a key version is kept before it is destroyed, 30 days unless said otherwise."""

    wait_seconds: Annotated[int, Meta(ge=LEAST_WAIT, le=LONGEST_WAIT)] = USUAL_WAIT
    forfeit_backups: bool = False


class RootMove(Ask, kw_only=True):
    """The root key that is to wrap every keyset."""

    to: RootName


class RootTurn(Ask, kw_only=True):
    """The root key whose own key is meant."""

    root: RootName


LoginToken = Annotated[
    str, Meta(description="An opaque token, such as a login name's; each has a password of its own.")
]
LoginName = Annotated[
    str,
    Meta(description="A login name itself: stands for its deterministic opaque token in the field's scope."),
]
Password = Annotated[str, Meta(description="Any Unicode but NUL; at most 1,024 bytes in UTF-8.")]
Degrees = Annotated[float, Meta(ge=-90, le=90)]
FullDegrees = Annotated[float, Meta(ge=-180, le=180)]


class LoginOnly(Ask, kw_only=True):
    """Whose password is meant: exactly one of `login`, `login_name` and `subject`."""

    login: LoginToken | None = None
    login_name: LoginName | None = None
    subject: Subject | None = None


class Origin(Ask, kw_only=True):
    """Where a log-in comes from; failures are counted by `ip`, too."""

    ip: Annotated[str, Meta(max_length=45, description="IPv4 or IPv6.", examples=["192.0.2.1"])] | None = None
    device: (
        Annotated[str, Meta(min_length=1, max_length=128, description="An id that stays on one device.")]
        | None
    ) = None
    agent: (
        Annotated[str, Meta(min_length=1, max_length=256, description="What the device says of itself.")]
        | None
    ) = None
    latitude: Degrees | None = None
    longitude: FullDegrees | None = None


class NewPassword(LoginOnly, kw_only=True):
    """A password that a login is to have."""

    password: Password


class PasswordTry(LoginOnly, kw_only=True):
    """A password to verify."""

    password: Password
    origin: Origin | None = None


class PasswordChange(LoginOnly, kw_only=True):
    """The old password and the new one."""

    password: Password
    new_password: Password
    origin: Origin | None = None


class PasswordImport(Ask, kw_only=True):
    """Hashes of another system; exactly one of `logins`, `login_names` and `subjects`, as long as `hashes`.

    `layout` says what was hashed how, where the hashes do not; `wrap` puts Argon2id over each now, 16 at most.
    """

    hashes: Annotated[list[str], Meta(extra_json_schema={"maxItems": MAX_ITEMS})]
    logins: list[str] | None = None
    login_names: list[str] | None = None
    subjects: list[Subject] | None = None
    salts: list[str | None] | None = None
    layout: Annotated[str, Meta(max_length=128, examples=["md5(md5(password)+salt)"])] | None = None
    wrap: bool = False


class LogInQuery(LoginOnly, kw_only=True):
    """Whose log-ins are shown, why, and how: view `full`, formerly `plain`, needs the operation reveal_plain."""

    purpose: Purpose
    view: Literal["masked", "full", "plain"] = "masked"
    case: Reference | None = None
    consent: Reference | None = None
    since: Annotated[datetime, Meta(tz=True, description="Only what is not older.")] | None = None
    cursor: Cursor | None = None
    limit: Limit = 100
