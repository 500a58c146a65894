"""Named networks: lists of address blocks in CIDR notation (RFC 4632; RFC 4291, section 2.3)."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from vault.policy.cursor import Node

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
NAMED = "1 to 32 of a-z, 0-9, _ and -, a letter first"


@dataclass(frozen=True, slots=True)
class Network:
    """Blocks of addresses, by IP version and length of their prefix: at most 162 look-ups, however many blocks.

    Attributes:
        blocks: the first bits of each block, as a number.
        texts: the blocks as they are written, sorted.
    """

    blocks: Mapping[tuple[int, int], frozenset[int]]
    texts: tuple[str, ...]

    def holds(self, address: Address) -> bool:
        """Return whether one of the blocks holds `address`."""
        number, bits, version = int(address), address.max_prefixlen, address.version
        return any(
            number >> (bits - length) in starts
            for (of, length), starts in self.blocks.items()
            if of == version
        )


def read(node: Node) -> dict[str, Network]:
    """Return the networks of the document by name."""
    return {_name(name, inner): _network(inner) for name, inner in node.members().items()}


def parse(text: str) -> Address | None:
    """Return the address that `text` is, an IPv4 address that came mapped into IPv6 as itself; None if it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _name(name: str, node: Node) -> str:
    if not NAME.fullmatch(name):
        node.refuse(f"a network's name has {NAMED}")
    return name


def _network(node: Node) -> Network:
    blocks: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    texts = set[str]()
    for word in node.words():
        block = _block(word)
        starts = blocks[block.version, block.prefixlen]
        starts.add(int(block.network_address) >> (block.max_prefixlen - block.prefixlen))
        texts.add(str(block))
    return Network({key: frozenset(starts) for key, starts in blocks.items()}, tuple(sorted(texts)))


def _block(word: Node) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    text = word.text(64)
    try:
        block = ipaddress.ip_network(text)
    except ValueError:
        word.refuse(
            f"{word.title} must be a block of addresses such as 10.1.0.0/16, with no bits behind its prefix"
        )
    if "/" not in text or not text.rpartition("/")[2].isdigit():
        word.refuse(f"{word.title} must say the length of its prefix, such as 10.1.2.3/32")
    if isinstance(block, ipaddress.IPv6Network) and block.network_address.ipv4_mapped is not None:
        word.refuse(f"{word.title} is an IPv4 block mapped into IPv6: write it as IPv4")
    return block
