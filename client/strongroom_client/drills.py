"""Reports of drills handed to the service that was drilled."""

from __future__ import annotations

from msgspec import Struct

from strongroom_client.options import wire
from strongroom_client.session import Session, encode


class DrillTaken(Struct, frozen=True):
    """A drill's report that the service keeps: its id, and whether the drill passed."""

    id: str
    passed: bool


class Drills(Session):
    """The call of a drill host; its API key needs the operation `backups`."""

    def report_drill(self, report: str) -> DrillTaken:
        """Hand in the signed report of a drill; one that is known already changes nothing.

        Raises:
            Refused: code invalid_report: no drill host that the service knows signed it.
        """
        return self._call("POST", "/v1/drills", DrillTaken, body=encode(wire({"report": report})))
