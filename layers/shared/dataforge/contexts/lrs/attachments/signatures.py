"""Signed statements (Data 2.6): a JSON Web Signature whose payload is the statement."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from dataforge.contexts.lrs.attachments.domain import Attachment
from dataforge.contexts.lrs.statements.domain import (
    Rule,
    StatementsBody,
    parse_json,
    same_statement,
)
from dataforge.contexts.lrs.statements.domain.validation.attachments import SIGNATURE_USAGE
from dataforge.kernel.errors import BadRequest, ValidationFailed, Violation
from dataforge.kernel.texts import Text

ALGORITHMS = ("RS256", "RS384", "RS512")
_MEDIA_TYPE = "application/octet-stream"


class StatementSignatureInvalid(ValidationFailed):
    """The signature of a statement is malformed, wrong, or of another statement (Data 2.6)."""

    code = "statement_signature_invalid"
    title = "The signature of a statement is not valid"


def check_signatures(body: StatementsBody, attachments: Mapping[str, Attachment]) -> None:
    """Raise StatementSignatureInvalid unless every signature in valid statements is one of its statement.

    A signature is checked with the certificate in its header (`x5c`); without one nobody says whose key it is, and its
    form and its payload are looked at.
    """
    for index, statement in enumerate(body.statements):
        listed = statement.get("attachments") if isinstance(statement, dict) else None
        for number, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(statement, dict) and isinstance(item, dict) and item.get("usageType") == SIGNATURE_USAGE:
                fault = _fault(statement, item, attachments.get(str(item.get("sha2")).lower()))
                if fault is not None:
                    pointer = f"{body.pointer(index)}/attachments/{number}"
                    raise StatementSignatureInvalid(fault, violations=[Violation(pointer, fault, Rule.SIGNATURE)])


def _fault(statement: dict[str, object], item: Mapping[str, object], attachment: Attachment | None) -> str | None:
    if item.get("contentType") != _MEDIA_TYPE:
        return Text("The contentType of a signature is {media_type}.", media_type=_MEDIA_TYPE)
    if attachment is None:
        return Text("A signature is sent together with its statement: there is no part with this hash in the request.")
    # Signatures are rare: who sends none need not wait for what checks them.
    import jwt

    try:
        token = attachment.content.decode("ascii")
        found: dict[str, Any] = jwt.api_jws.decode_complete(token, options={"verify_signature": False})
        if found["header"].get("alg") not in ALGORITHMS:
            return Text("A signature is made with one of {algorithms}.", algorithms=", ".join(ALGORITHMS))
        if "x5c" in found["header"]:
            key = _certified_key(found["header"]["x5c"])
            jwt.api_jws.decode_complete(token, key, algorithms=list(ALGORITHMS))
        signed = parse_json(found["payload"])
    except (jwt.PyJWTError, BadRequest, ValidationFailed, ValueError, TypeError, binascii.Error) as error:
        return Text(
            "The signature is no JSON Web Signature of a statement: {value}",
            value=getattr(error, "detail", None) or error,
        )
    if not isinstance(signed, dict) or not same_statement(_unsigned(signed), _unsigned(statement)):
        return Text("The signature is of another statement than the one it came with.")
    return None


def _certified_key(chain: object) -> Any:  # noqa: ANN401 - a public key of any kind; PyJWT refuses those that do not fit
    from cryptography.x509 import load_der_x509_certificate

    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        message = Text("x5c is a list of certificates")
        raise ValueError(message)
    return load_der_x509_certificate(base64.b64decode(chain[0], validate=True)).public_key()


def _unsigned(statement: dict[str, object]) -> dict[str, object]:
    """The statement without its signatures, which cannot be part of what they sign."""
    listed = statement.get("attachments")
    kept = [
        item
        for item in (listed if isinstance(listed, list) else ())
        if not (isinstance(item, dict) and item.get("usageType") == SIGNATURE_USAGE)
    ]
    others = {name: value for name, value in statement.items() if name != "attachments"}
    return {**others, "attachments": kept} if kept else others
