"""The peer of single requests: a bare Flask route that does one durable insert through SQLAlchemy Core, and no more."""

from __future__ import annotations

import os
import secrets
import time

from flask import Flask, Response, jsonify, request
from sqlalchemy import insert

from bench.bulk import token_row
from vault.store.database import Database
from vault.store.tables import token

app = Flask("bare", static_folder=None)
engine = Database(os.environ["BENCH_DATABASE_URL"], time.time, time.monotonic).engine


@app.post("/insert")
def store() -> tuple[Response, int]:
    """Insert one row into the same table; SQLite in WAL, FULL, BEGIN IMMEDIATE, as the service has it."""
    text = b"\1" + secrets.token_bytes(16)
    sealed = request.get_json()["value"].encode()
    with engine.begin() as connection:
        connection.execute(insert(token).values(token_row(secrets.randbelow(4096), text, text[1:], sealed)))
    return jsonify(token=text.hex()), 201
