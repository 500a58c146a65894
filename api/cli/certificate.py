"""A certificate looked at by a handshake in memory, with nothing but the standard library."""

from __future__ import annotations

import ssl
from pathlib import Path

from api.cli.failure import Failure

EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED (openssl/x509_vfy.h)


def end(certificate: Path, key: Path) -> float:
    """Return when the certificate ends, in seconds since 1970; raise Failure if the pair cannot serve.

    Args:
        certificate: PEM, the server's own first.
        key: PEM, without a passphrase.
    """
    for path in (certificate, key):
        path.open("rb").close()  # says which, where one is missing or not ours to read
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    problem = None
    try:
        server.load_cert_chain(certificate, key, password="")
        client.load_verify_locations(certificate)
    except ssl.SSLError as error:
        problem = error.reason or "no PEM"
    if problem == "KEY_VALUES_MISMATCH":
        raise Failure(f"{key} is not the key of {certificate}", "use the two files that belong together")
    if problem:
        raise Failure(
            f"{certificate} and {key} cannot be used ({problem})",
            "both are PEM files, the key without passphrase",
        )
    client.check_hostname, client.verify_mode = False, ssl.CERT_REQUIRED
    client.verify_flags |= (
        ssl.VERIFY_X509_PARTIAL_CHAIN
    )  # it vouches for itself: only its dates are of interest
    return _handshake(server, client, certificate)


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, certificate: Path) -> float:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    invalid = None
    for side in (ours, theirs, ours, theirs):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            invalid = error.verify_code, error.verify_message
            break
    if invalid:
        hint = (
            "renew it" if invalid[0] == EXPIRED else "is the clock right, and is it a server's certificate?"
        )
        raise Failure(f"{certificate}: {invalid[1]}", hint)
    found = ours.getpeercert()
    return float(ssl.cert_time_to_seconds(str(found["notAfter"]))) if found else 0.0
