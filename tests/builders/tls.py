"""Certificates for servers of tests, and names that lead to them."""

import datetime as dt
import ipaddress
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dataforge.platform import outgoing


def certificate_for(name: str, directory: Path) -> Path:
    """A self-signed certificate for the name, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have our requests trust the certificate."""
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(outgoing, "_tls", lambda: trusting)


class Resolver:
    """What names lead to, answer after answer (the last one stays); names that nobody has told lead to this machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: list[str]) -> None:
        self.asked: list[str] = []
        self._answers = {name.replace("_", "."): list(addresses) for name, addresses in answers.items()}
        self._real = socket.getaddrinfo
        monkeypatch.setattr(outgoing.socket, "getaddrinfo", self._resolve)

    def _resolve(self, host: str, *rest: object, **options: object) -> list[object]:
        if not _is_address(host):
            self.asked.append(host)
            known = self._answers.get(host, ["127.0.0.1"])
            host = known.pop(0) if len(known) > 1 else known[0]
        return list(self._real(host, *rest, **options))  # type: ignore[call-overload]  # passed through


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
