"""The ways in over HTTP, one blueprint a noun."""

from __future__ import annotations

from api.views import (
    alarms,
    apikeys,
    approvals,
    audit,
    backups,
    callers,
    decoys,
    descriptions,
    drills,
    fields,
    health,
    jobs,
    keys,
    keysets,
    logins,
    matches,
    passwords,
    policy,
    reveals,
    roots,
    subjects,
    tokens,
)

BLUEPRINTS = (
    tokens.bp, reveals.bp, matches.bp, descriptions.bp, subjects.bp, fields.bp, apikeys.bp, keysets.bp, keys.bp,
    roots.bp, jobs.bp, passwords.bp, logins.bp, policy.bp, approvals.bp, decoys.bp,
    callers.bp, audit.bp, alarms.bp, backups.bp, drills.bp, health.bp,
)  # fmt: skip
