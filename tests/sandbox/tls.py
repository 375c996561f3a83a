# Copyright (c) 2026, fonnte.whatsapp contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority and a server certificate for one run, good or bad on purpose."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

WRONG_HOST = "elsewhere.invalid"
DAY = datetime.timedelta(days=1)

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Tls:
    """What the server uses, and the CA that a client should trust."""

    context: ssl.SSLContext
    ca: Path


def make(kind: str, host: str, folder: Path) -> Tls:
    """Write ``ca.pem`` and ``server.pem`` into the folder; ``kind`` is one of ``cli.TLS_KINDS``.

    The self-signed certificate is not by that CA.
    """
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_cert = _certificate(_name("fonnte sandbox CA"), None, ca_key, ca_key, None, kind)
    ca_path = folder / "ca.pem"
    ca_path.write_bytes(ca_cert.public_bytes(serialization.Encoding.PEM))

    key = ec.generate_private_key(ec.SECP256R1())
    hosts = [WRONG_HOST] if kind == "wrong-host" else sorted({host, "localhost", "127.0.0.1", "::1"})
    signer, issuer = (key, None) if kind == "self-signed" else (ca_key, ca_cert)
    cert = _certificate(_name("fonnte sandbox"), issuer, signer, key, hosts, kind)
    server_path = folder / "server.pem"
    server_path.touch(mode=0o600)
    server_path.write_bytes(cert.public_bytes(serialization.Encoding.PEM) + _private(key))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_path)
    return Tls(context=context, ca=ca_path)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _private(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _certificate(
    subject: x509.Name, issuer: x509.Certificate | None, signer: Key, key: Key, hosts: list[str] | None, kind: str
) -> x509.Certificate:
    """``hosts`` None makes a CA. All extensions are there that a strict client asks for."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ends = now - DAY if kind == "expired" and hosts is not None else now + 30 * DAY
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=hosts is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(ca=hosts is None), critical=True)
    )
    if hosts is not None:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general(host) for host in hosts]),
            critical=False,
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
