"""The root keys that the settings list: the local key file, HashiCorp Vault's Transit, or both."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from api.config import Settings, read_secret
from api.errors import SettingsError
from keys.errors import RootLoginRefused
from keys.provider import RootKey
from keys.providers import local
from keys.secret import Secret

if TYPE_CHECKING:  # hvac takes its time to import, and the key file needs none of it
    from keys.providers.transit import AppRole, Login, Place, TransitRoot


def open_roots(settings: Settings) -> tuple[dict[str, RootKey], str]:
    """Return the roots by name, and the name of the one that wraps the keysets of new tenants.

    Raises:
        SettingsError: what is missing or contradictory.
        KeyFileError: the key file is there and cannot be used, or is needed and missing.
        RootUntrusted: Vault's authority cannot be read.
    """
    first = primary(settings)
    roots: dict[str, RootKey] = {}
    names: dict[str, str] = {}
    for kind, make in (("local", open_local), ("vault", open_transit)):
        if kind in listed(settings):
            root = make(settings)
            roots[root.name], names[kind] = root, root.name
    return roots, names[first]


def listed(settings: Settings) -> list[str]:
    """Return the kinds of roots that there are: `local`, `vault`."""
    found = ["vault"] if settings.vault_addr is not None else []
    if not found or settings.root == "local" or settings.root_key_file.exists():
        found.insert(0, "local")
    return found


def primary(settings: Settings) -> str:
    """Return the kind of root that wraps new tenants' keysets."""
    if settings.root == "vault" and settings.vault_addr is None:
        raise SettingsError("STRONGROOM_ROOT: vault needs STRONGROOM_VAULT_ADDR")
    return settings.root or listed(settings)[0]


def open_local(settings: Settings) -> RootKey:
    """Open the key file, with its passphrase where it has one."""
    file = settings.root_passphrase_file
    return local.load(settings.root_key_file, Secret(read_secret(file)) if file is not None else None)


def open_transit(settings: Settings) -> TransitRoot:
    """Return the root in Vault, which is not asked yet."""
    from keys.providers.transit import TransitRoot

    return TransitRoot(place(settings), login(settings))


def place(settings: Settings) -> Place:
    """Return where the Transit key lies; SettingsError if its address is none, or would send keys in the clear."""
    from keys.providers.transit import Place

    try:
        parts = urlsplit(settings.vault_addr or "")
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        good = good and not (parts.username or parts.query or parts.fragment or parts.path.strip("/"))
    except ValueError:
        good = False
    if not good:
        raise SettingsError("STRONGROOM_VAULT_ADDR: must be https://host:port and nothing more")
    if parts.scheme == "http" and not _loopback(parts.hostname or ""):
        raise SettingsError("STRONGROOM_VAULT_ADDR: http would send keys in the clear: https, or loopback")
    address = f"{parts.scheme}://{parts.netloc}"
    return Place(
        address, settings.vault_mount, settings.vault_key, settings.vault_namespace, settings.vault_ca
    )


def login(settings: Settings) -> Login:
    """Return how to log in; SettingsError names what that lacks."""
    from keys.providers.transit import Kubernetes, TokenFile

    mount = settings.vault_auth_mount or settings.vault_auth
    if settings.vault_secret_id_wrapped and settings.vault_auth != "approle":
        raise SettingsError("STRONGROOM_VAULT_SECRET_ID_WRAPPED: is for STRONGROOM_VAULT_AUTH=approle")
    if settings.vault_auth == "kubernetes":
        if not settings.vault_kubernetes_role:
            raise SettingsError("STRONGROOM_VAULT_KUBERNETES_ROLE: is needed to log in by kubernetes")
        return Kubernetes(
            settings.vault_kubernetes_role, lambda: _text(settings.vault_jwt_file, "VAULT_JWT_FILE"), mount
        )
    if settings.vault_auth == "token":
        file = settings.vault_token_file
        if file is None:
            raise SettingsError("STRONGROOM_VAULT_TOKEN_FILE: is needed to log in by token")
        return TokenFile(file, lambda: _text(file, "VAULT_TOKEN_FILE"))
    return _approle(settings, mount)


def open_secret_id(settings: Settings) -> Secret:
    """Return the secret id that the settings' wrapping token opens, which it does once."""
    from keys.providers.transit import open_wrapped

    return open_wrapped(place(settings), _wrapping_token(settings))


def look_at_secret_id(settings: Settings) -> None:
    """Raise RootLoginRefused if the wrapping token opens no more; it is not used up."""
    from keys.providers.transit import look_at_wrapped

    look_at_wrapped(place(settings), _wrapping_token(settings))


def _wrapping_token(settings: Settings) -> str:
    login(settings)  # says what is missing
    return _text(settings.vault_secret_id_file, "VAULT_SECRET_ID_FILE")


def _approle(settings: Settings, mount: str) -> AppRole:
    from keys.providers.transit import AppRole

    role, role_file, secret = (
        settings.vault_role_id,
        settings.vault_role_id_file,
        settings.vault_secret_id_file,
    )
    if (role is None) == (role_file is None):
        raise SettingsError(
            "STRONGROOM_VAULT_ROLE_ID: say it, or STRONGROOM_VAULT_ROLE_ID_FILE; one of the two is needed to log in"
        )
    if secret is None:
        raise SettingsError("STRONGROOM_VAULT_SECRET_ID_FILE: is needed to log in by approle")
    read_role = (lambda: role) if role is not None else lambda: _text(role_file, "VAULT_ROLE_ID_FILE")
    return AppRole(
        read_role, lambda: _text(secret, "VAULT_SECRET_ID_FILE"), settings.vault_secret_id_wrapped, mount
    )


def _text(file: Path | None, name: str) -> str:
    """Return what a file for the login holds; RootLoginRefused names the setting, since files come and go."""
    text, reason = "", "it is empty"
    try:
        text = file.read_text("utf-8").strip() if file is not None else ""
    except OSError as error:
        reason = error.strerror or "no reason given"
    except ValueError:
        reason = "it is no text"
    if not text:
        raise RootLoginRefused(f"STRONGROOM_{name} cannot be read: {reason}")
    return text


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
