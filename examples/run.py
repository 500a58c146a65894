"""Run a development service and leave it running: its data stays in var/dev; Ctrl-C ends it."""

from __future__ import annotations

import os
from pathlib import Path

from service import Service, end_on_signals

FOLDER = Path(__file__).resolve().parents[1] / "var" / "dev"

WELCOME = """
strongroom is ready at {url}
development API key (test data): {key}

curl -s {url}/v1/tokens -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{body}'

Data stays in {folder}; remove that folder to begin again. Ctrl-C ends the service.
"""
BODY = '{"field": "phone", "value": "+86 134 9123 4567"}'


def main() -> int:
    """Return the service's exit code, 0 after Ctrl-C."""
    end_on_signals()
    service = Service(FOLDER, int(os.environ.get("STRONGROOM_PORT", "8700")))
    key = service.prepare("development")["test"]
    try:
        with service:
            print(WELCOME.format(url=service.url, key=key, body=BODY, folder=FOLDER), flush=True)
            return service.wait()
    except KeyboardInterrupt:
        print("strongroom has ended")
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
