"""The field types, and what must never be stored."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers
from api.auth import ANY
from api.operations import Operation
from api.schema.replies import FieldType, FieldTypes
from vault import fields
from vault.columns import Actor

bp = Blueprint("fields", __name__)


@bp.get("/v1/fields")
@Operation(needs=(ANY,), gives=FieldTypes)
def index(actor: Actor) -> Response:
    """List the field types with a made-up sample of each and what the masked view leaves of it."""
    known = [_shown(kind) for kind in fields.all()]
    return answers.answer(FieldTypes(known, sorted(fields.never_stored())))


def _shown(kind: fields.FieldType) -> FieldType:
    canonical = kind.normalize(kind.sample)
    return FieldType(
        name=kind.name,
        classification=kind.classification,
        sample=kind.sample,
        masked=kind.mask(canonical),
        lookup=kind.lookup,
        check_digit=kind.check is not None,
        shapable=kind.shape(canonical) is not None,
        options=sorted(kind.options),
    )
