"""Each kind of sink with the real place behind it: what it holds, how it is broken, and how it heals."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import ClassVar

import trustme

from tests.s3_gateway import REGION, Gateway
from tests.vault.sinks.receivers import Daemon, Receiver
from vault.sinks.opening import Surroundings, open_sink
from vault.sinks.protocol import Sink

Held = dict[tuple[str, int], bytes]  # by log and position: the leaf
AROUND = Surroundings(time.time, time.monotonic)


class Place:
    """What the conformance tests ask of a kind."""

    faults: ClassVar[dict[str, str]]  # what happens to it, and the code that says so
    sink: Sink

    def url(self) -> str:
        """Return what settings name it by."""
        raise NotImplementedError

    def held(self) -> Held:
        """Return every record in it."""
        raise NotImplementedError

    def lines(self) -> list[bytes]:
        """Return its lines or messages."""
        raise NotImplementedError

    quiet: ClassVar = frozenset[str]()  # faults that show only when there is something to deliver

    def break_it(self, fault: str) -> None:
        """Let something happen to it."""
        getattr(self, fault.replace(" ", "_"))()

    def heal(self) -> None:
        """Undo what happened, as an operator would; nothing for what the sink itself mends."""

    def close(self) -> None:
        """Clear it away."""
        self.sink.close()


class FilePlace(Place):
    """A file on a small disk of its own."""

    faults: ClassVar = {
        "removed": "sink_removed", "renamed": "sink_renamed", "replaced": "sink_replaced",
        "truncated": "sink_truncated", "altered": "sink_altered", "full": "sink_full", "read only": "sink_read_only",
        "immutable": "sink_permission", "folder removed": "sink_removed", "a link": "sink_not_a_file",
    }  # fmt: skip

    def __init__(self, _: Path) -> None:
        # Not in the test's own folder: what a killed run leaves mounted there, the next could not clear away.
        self.disk = Path(tempfile.mkdtemp(prefix="strongroom-disk-"))
        mount("-t", "tmpfs", "-o", "size=8m", "tmpfs", self.disk)
        self.path = self.disk / "logs" / "audit.ndjson"
        self.path.parent.mkdir()
        self.sink = open_sink(self.url(), AROUND)

    def url(self) -> str:
        return f"file:{self.path}"

    def held(self) -> Held:
        return records(self.lines())

    def lines(self) -> list[bytes]:
        parts = [*sorted(self.path.parent.glob("audit.ndjson.*")), self.path]
        return [line for part in parts if part.exists() for line in part.read_bytes().splitlines()]

    def removed(self) -> None:
        self.path.unlink()

    def renamed(self) -> None:
        self.path.rename(self.path.with_name("elsewhere"))

    def replaced(self) -> None:
        self.path.with_name("other").write_bytes(self.path.read_bytes())
        self.path.with_name("other").rename(self.path)

    def truncated(self) -> None:
        os.truncate(self.path, 10)

    def altered(self) -> None:
        with self.path.open("r+b") as file:
            file.seek(20)
            file.write(b"*")

    def full(self) -> None:
        with suppress(OSError), (self.disk / "ballast").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(65_536))

    def read_only(self) -> None:
        mount("-o", "remount,ro", self.disk)

    def immutable(self) -> None:
        subprocess.run(["chattr", "+i", self.path], check=True)

    def folder_removed(self) -> None:
        shutil.rmtree(self.path.parent)

    def a_link(self) -> None:
        self.path.rename(self.path.with_name("target"))
        self.path.symlink_to("target")

    def heal(self) -> None:
        mount("-o", "remount,rw", self.disk)
        (self.disk / "ballast").unlink(missing_ok=True)
        self.path.parent.mkdir(exist_ok=True)
        if self.path.is_symlink():
            self.path.unlink()
        elif self.path.exists():
            subprocess.run(["chattr", "-i", self.path], check=True)

    def close(self) -> None:
        super().close()
        if self.path.exists():
            subprocess.run(["chattr", "-i", self.path], check=False, stderr=subprocess.DEVNULL)
        # A process that was killed may still be about to end.
        subprocess.run(["umount", "--lazy", self.disk], check=True)
        self.disk.rmdir()


class FifoPlace(Place):
    """A named pipe and a program that reads it."""

    faults: ClassVar = {"no reader": "sink_no_reader", "stalled": "sink_stalled", "removed": "sink_removed"}
    quiet: ClassVar = frozenset({"stalled"})

    def __init__(self, folder: Path) -> None:
        self.path, self.data, self.going = folder / "audit.fifo", bytearray(), True
        os.mkfifo(self.path)
        self.sink = open_sink(self.url(), AROUND)
        self._open()

    def _open(self) -> None:
        self.reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.going = True
        self.thread = Thread(target=self._read, args=[self.reader], daemon=True)
        self.thread.start()

    def _read(self, reader: int) -> None:
        while self.going:
            try:
                if more := os.read(reader, 65_536):
                    self.data += more
                    continue
            except BlockingIOError:
                pass
            time.sleep(0.002)

    def url(self) -> str:
        return f"file:{self.path}"

    def held(self) -> Held:
        return records(self.lines())

    def lines(self) -> list[bytes]:
        return bytes(self.data).splitlines()

    def stalled(self) -> None:
        self.going = False
        self.thread.join()

    def no_reader(self) -> None:
        self.stalled()
        os.close(self.reader)

    def removed(self) -> None:
        self.no_reader()
        self.path.unlink()

    def heal(self) -> None:
        if not self.path.exists():
            os.mkfifo(self.path)
        self._open()

    def close(self) -> None:
        super().close()
        self.going = False


class SyslogPlace(Place):
    """A receiver over TCP."""

    faults: ClassVar = {
        "silent": "sink_no_receipt", "drip": "sink_no_receipt", "gone": "sink_unreachable",
        "hang up": "sink_no_receipt",
    }  # fmt: skip
    quiet: ClassVar = frozenset({"hang up"})

    def __init__(self, _: Path) -> None:
        self.receiver = self.make()
        self.sink = open_sink(self.url(), AROUND)

    def make(self, port: int = 0) -> Receiver:
        return Receiver(port=port)

    def url(self) -> str:
        return f"syslog+tcp://127.0.0.1:{self.receiver.port}"

    def held(self) -> Held:
        return messages(self.lines())

    def lines(self) -> list[bytes]:
        return self.receiver.messages

    def break_it(self, fault: str) -> None:
        self.receiver.way = fault
        if fault == "gone":
            self.receiver.close()

    def heal(self) -> None:
        old = self.receiver
        if old.way == "gone":
            self.receiver = self.make(old.port)
            self.receiver.received = old.received
        old.way = "read"

    def close(self) -> None:
        super().close()
        self.receiver.close()


class TlsPlace(SyslogPlace):
    """The same over TLS, under an authority of its own."""

    faults: ClassVar = {**SyslogPlace.faults, "cut": "sink_no_receipt", "another authority": "sink_untrusted"}
    quiet: ClassVar = frozenset[str]()

    def __init__(self, folder: Path) -> None:
        self.authority, self.folder = trustme.CA(), folder
        self.authority.cert_pem.write_to_path(folder / "ca.pem")
        super().__init__(folder)

    def make(self, port: int = 0) -> Receiver:
        return Receiver(served_by(self.authority), port)

    def url(self) -> str:
        return f"syslog+tls://127.0.0.1:{self.receiver.port}?ca={self.folder}/ca.pem"

    def break_it(self, fault: str) -> None:
        super().break_it(fault)
        if fault == "another authority":
            self.receiver.way, self.receiver.tls = "read", served_by(trustme.CA())

    def heal(self) -> None:
        super().heal()
        self.receiver.tls = served_by(self.authority)


class LocalPlace(Place):
    """This machine's own syslog: a Unix socket for datagrams."""

    faults: ClassVar = {"gone": "sink_unreachable"}
    kind = socket.SOCK_DGRAM

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log"
        self.daemon = Daemon(self.path, self.kind)
        self.sink = open_sink(self.url(), AROUND)

    def url(self) -> str:
        return f"syslog+unix:{self.path}"

    def held(self) -> Held:
        return messages(self.lines())

    def lines(self) -> list[bytes]:
        return self.daemon.messages

    def gone(self) -> None:
        self.daemon.close()
        self.path.unlink()

    def heal(self) -> None:
        before = self.daemon.received
        self.daemon = Daemon(self.path, self.kind)
        self.daemon.received = before

    def close(self) -> None:
        super().close()
        self.daemon.close()


class StreamPlace(LocalPlace):
    """The same where it takes streams."""

    kind = socket.SOCK_STREAM


class S3Place(Place):
    """A bucket of a real S3 service."""

    faults: ClassVar = {
        "gone": "sink_unreachable", "bucket removed": "sink_removed", "object removed": "sink_removed",
    }  # fmt: skip

    def __init__(self, gateway: Gateway, bucket: str) -> None:
        self.gateway, self.bucket = gateway, gateway.folder / bucket
        self.bucket.mkdir()
        around = Surroundings(time.time, time.monotonic, (gateway.access, gateway.secret))
        self.sink = open_sink(self.url(), around)

    def url(self) -> str:
        return f"s3://{self.bucket.name}/audit?region={REGION}&endpoint={self.gateway.endpoint}"

    def held(self) -> Held:
        return records(self.lines())

    def lines(self) -> list[bytes]:
        objects = sorted(self.bucket.rglob("*.ndjson"))
        return [line for one in objects for line in one.read_bytes().splitlines()]

    def gone(self) -> None:
        self.gateway.stop()

    def bucket_removed(self) -> None:
        shutil.rmtree(self.bucket)

    def object_removed(self) -> None:
        max(self.bucket.rglob("checkpoints/*.txt")).unlink()

    def heal(self) -> None:
        self.bucket.mkdir(exist_ok=True)
        if self.gateway.process is None:
            self.gateway.start()

    def close(self) -> None:
        super().close()
        self.heal()  # others use it, too


def served_by(authority: trustme.CA) -> ssl.SSLContext:
    """Return what a server at 127.0.0.1 says who it is with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


def records(lines: list[bytes]) -> Held:
    """Return the records among lines of JSON; one that came twice must be the same."""
    found: Held = {}
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue  # torn
        if "position" in said:
            place, leaf = (said["log"], said["position"]), b64decode(said["leaf"])
            assert found.setdefault(place, leaf) == leaf
    return found


def messages(texts: list[bytes]) -> Held:
    """Return the records among syslog messages, put together from their parts."""
    pieces: dict[tuple[str, int], dict[int, bytes]] = defaultdict(dict)
    counts: dict[tuple[str, int], int] = {}
    for text in texts:
        head = re.match(rb"<110>1 \S+ \S+ strongroom - (record|checkpoint) \[strongroom@32473 ", text)
        assert head is not None
        end = re.search(rb'(?<!\\)"\] ', text)
        assert end is not None
        if head[1] == b"record":
            said = dict(re.findall(rb'(\w+)="((?:[^"\\]|\\.)*)"', text[: end.end()]))
            place = said[b"log"].decode(), int(said[b"position"])
            pieces[place][int(said.get(b"part", b"1"))] = text[end.end() :]
            counts[place] = int(said.get(b"parts", b"1"))
    return {
        place: b64decode(b"".join(parts[number] for number in sorted(parts)))
        for place, parts in pieces.items()
        if len(parts) == counts[place]
    }


Maker = Callable[[Path], Place]
