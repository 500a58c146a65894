"""Three real places for backups: a folder on a small disk, an sshd and an S3 service; here, or behind a wire."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.databases import missing
from tests.network import Wire
from tests.relay import Relay
from tests.s3_gateway import Gateway, NoGateway, gateway_command
from tests.sshd import NoSshd, sshd
from tests.vault.recovery.targets.conftest import require_disk
from tests.vault.recovery.targets.places import DirectoryPlace, Place, S3Place, SftpPlace, mount
from vault.recovery.targets.opening import Surroundings

DISK = "64m"
BUCKET = "backups"


class BehindSftp(SftpPlace):
    """A folder at an sshd that is reached as it is, without a line that a test has in its hands."""

    def trust(self) -> None:
        self.around = Surroundings(time.monotonic, self.ssh.key, self.ssh.known_hosts)

    def url(self) -> str:
        return f"sftp://{self.ssh.user}@{self.ssh.address}:{self.ssh.port}{self.folder}"


class BehindS3(S3Place):
    """A bucket behind a wire: plain HTTP goes no farther than this machine, from where the line leads on."""

    def __init__(self, server: Gateway, bucket: str) -> None:
        super().__init__(server, bucket)
        self.relay.close()
        self.relay = Relay(server.port, behind=server.address)


@contextmanager
def three_places(folder: Path, line: Wire | None = None) -> Iterator[dict[str, Place]]:
    """Give the places by what they are; the test is skipped where a server is missing.

    Args:
        line: that the two servers are behind.
    """
    require_disk()
    where = {} if line is None else {"address": line.there, "within": line.within}
    for name in ("ssh", "s3"):
        (folder / name).mkdir()
    with ExitStack() as stack:
        try:
            ssh = stack.enter_context(sshd(folder / "ssh", **where))
            bucket = Gateway(gateway_command(), folder / "s3", **where)
        except NoSshd as error:
            missing("sshd", str(error))
        except NoGateway as error:
            missing("versitygw", str(error))
        stack.callback(bucket.stop)
        bucket.start()
        disk = DirectoryPlace()
        mount("-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk.folder)
        disk.mounted = True
        places: dict[str, Place] = {
            "directory": disk,
            "sftp": SftpPlace(ssh) if line is None else BehindSftp(ssh),
            "s3": S3Place(bucket, BUCKET) if line is None else BehindS3(bucket, BUCKET),
        }
        for place in places.values():
            stack.callback(place.close)
        yield places
