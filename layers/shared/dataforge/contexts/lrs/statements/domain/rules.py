"""The rules a statement can break, each with the place in the specifications it comes from.

Sections are of xAPI-Data and xAPI-Communication 1.0.3; IEEE 9274.1.1 (xAPI 2.0) keeps them unless a rule says so.
"""

from enum import StrEnum


class Rule(StrEnum):
    """Stable id of a rule, as it appears in the `rule` member of a violation."""

    JSON_DUPLICATE_KEY = "json.duplicate_key"  # RFC 8259 §4: names SHOULD be unique; which one counts would be a guess
    JSON_NUL = "json.nul_character"  # jsonb cannot hold U+0000
    JSON_SURROGATE = "json.lone_surrogate"  # not a Unicode scalar value, so not UTF-8 (Data 2.2)
    JSON_NUMBER = "json.number"  # NaN and Infinity are not JSON; numbers beyond MAX_NUMBER_DIGITS are refused
    NULL = "statement.null"  # Data 2.2: null only inside extensions
    TYPE = "statement.type"  # Data 2.2: no coercion between strings, numbers and booleans
    UNKNOWN_PROPERTY = "statement.unknown_property"  # Data 2.2: unknown names and wrong case
    MISSING = "statement.missing"  # Data 2.2, 2.4: required properties
    ENUMERATION = "statement.enumeration"  # Data 2.2: enumerated values are case-sensitive
    UUID = "statement.uuid"  # Data 2.4.1: text form of RFC 4122
    IRI = "statement.iri"  # Data 2.2, RFC 3987: absolute
    LANGUAGE_TAG = "statement.language_tag"  # Data 4.2, RFC 5646 §2.2.9: well-formed
    TIMESTAMP = "statement.timestamp"  # Data 4.5, ISO 8601, RFC 3339
    DURATION = "statement.duration"  # Data 4.6, ISO 8601
    VERSION = "statement.version"  # Data 2.4.10
    IFI = "statement.ifi"  # Data 2.4.2.3: exactly one inverse functional identifier
    MBOX = "statement.mbox"  # Data 2.4.2.3
    SHA1 = "statement.mbox_sha1sum"  # Data 2.4.2.3
    GROUP = "statement.group"  # Data 2.4.2.2: an anonymous Group has members
    AUTHORITY = "statement.authority"  # Data 2.4.9: an Agent, or an anonymous Group of two
    SUBSTATEMENT = "statement.substatement"  # Data 2.4.4.3: no nesting, no id, stored, version or authority
    VOIDING = "statement.voiding"  # Data 2.3.2: the object of `voided` is a StatementRef
    INTERACTION = "statement.interaction"  # Data 2.4.4.1: component lists belong to their interaction type
    SCORE = "statement.score"  # Data 2.4.5.1: scaled in [-1, 1], min <= raw <= max, min < max
    CONTEXT = "statement.context"  # Data 2.4.6: revision and platform only when the object is an Activity
    CONTEXT_ROLE = "statement.context_role"  # IEEE 9274.1.1 §4.2.2.5: contextAgents and contextGroups
    EXTENSION_DEPTH = "statement.extension_depth"  # a limit of this store, MAX_DEPTH
    ATTACHMENT = "statement.attachment"  # Data 2.4.11
    ATTACHMENT_DATA = "statement.attachment_data"  # Communication 1.5.2: data or fileUrl
    SIGNATURE = "statement.signature"  # Data 2.6: the signature itself travels with the statement
    DUPLICATE_ID = "batch.duplicate_id"  # IEEE 9274.1.1 §4.1.6.1: one id once per request
    STATEMENT_ID = "batch.statement_id"  # Communication 2.1.1: the body's id matches the statementId parameter
