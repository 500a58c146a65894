"""The ways in over HTTP, one blueprint a noun."""

from __future__ import annotations

from api.views import apikeys, descriptions, fields, health, matches, reveals, subjects, tokens

BLUEPRINTS = (
    tokens.bp, reveals.bp, matches.bp, descriptions.bp, subjects.bp, fields.bp, apikeys.bp, health.bp,
)  # fmt: skip
