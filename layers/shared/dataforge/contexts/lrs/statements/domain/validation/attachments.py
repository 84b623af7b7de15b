"""Attachment headers inside a statement (Data 2.4.11); their data travels in other parts of the request."""

import re

from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.validation.formats import check_iri, check_language_map
from dataforge.contexts.lrs.statements.domain.validation.report import Check, Report, array_of, check_members, preview
from dataforge.kernel.texts import Text

SIGNATURE_USAGE = "http://adlnet.gov/expapi/attachments/signature"
"""Usage type of the attachment that signs the statement it is in (Data 2.6)."""

_SHA2 = re.compile(r"(?:[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})\Z")
_MEDIA_TYPE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+/[!#$%&'*+\-.^_`|~0-9A-Za-z]+\s*(?:;.*)?\Z")


def _check_media_type(value: object, path: str, report: Report) -> None:
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with a media type"))
    elif _MEDIA_TYPE.match(value) is None:
        report.add(
            path, Rule.ATTACHMENT, Text("{value} is not a media type such as application/pdf.", value=preview(value))
        )


def _check_length(value: object, path: str, report: Report) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        report.wrong_type(value, path, Text("a whole number of bytes"))
    elif value < 0:
        report.add(path, Rule.ATTACHMENT, Text("A length in bytes is not negative."))


def _check_sha2(value: object, path: str, report: Report) -> None:
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with a SHA-2 hash"))
    elif _SHA2.match(value) is None:
        report.add(path, Rule.ATTACHMENT, Text("This must be a SHA-2 hash in hex digits: 64 of them for SHA-256."))


_ATTACHMENT: dict[str, Check] = {
    "usageType": check_iri,
    "display": check_language_map,
    "description": check_language_map,
    "contentType": _check_media_type,
    "length": _check_length,
    "sha2": _check_sha2,
    "fileUrl": check_iri,
}


def _check_attachment(value: object, path: str, report: Report) -> None:
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an attachment object"))
        return
    check_members(value, path, report, _ATTACHMENT, ("usageType", "display", "contentType", "length", "sha2"))
    sha2 = value.get("sha2")
    if isinstance(sha2, str) and sha2.lower() in report.part_hashes:
        return
    if value.get("usageType") == SIGNATURE_USAGE:
        message = Text(
            "A signature is sent together with its statement: there is no part with this hash in the request."
        )
        report.add(path, Rule.SIGNATURE, message)
    elif "fileUrl" not in value:
        message = Text("This attachment has neither a `fileUrl` nor a part of the request with its hash.")
        report.add(path, Rule.ATTACHMENT_DATA, message)


check_attachments: Check = array_of(_check_attachment, Text("an array of attachments"))
