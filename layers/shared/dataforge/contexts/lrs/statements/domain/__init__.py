"""The statement model of xAPI 1.0.3 and 2.0: reading, validating, completing, comparing and flattening statements.

Pure functions over parsed JSON, at domain level: no database, queue or HTTP. A request goes through it as

    parse_body(bytes, content_type) -> StatementsBody     strict JSON, exact numbers
    prepare_batch(body, ...)        -> PreparedBatch      every violation or every statement, with ids
    PreparedStatement.to_json()     -> bytes              into the queue
    read_statement(bytes)           -> the statement      out of the queue
    flatten_statement(statement)    -> FlatStatement      the row of the reports

Attachment data (multipart/mixed) enters as `StatementsBody.part_hashes`; everything after reading is the same for it.
"""

from dataforge.contexts.lrs.statements.domain.batch import (
    InvalidStatements,
    PreparedBatch,
    PreparedStatement,
    prepare_batch,
    validate_body,
    voided_id,
)
from dataforge.contexts.lrs.statements.domain.completion import is_completion
from dataforge.contexts.lrs.statements.domain.flatten import FlatStatement, actor_email, actor_key, flatten_statement
from dataforge.contexts.lrs.statements.domain.identity import parse_statement_id, with_statement_id
from dataforge.contexts.lrs.statements.domain.json_text import (
    MAX_DEPTH,
    MAX_NUMBER_DIGITS,
    MAX_VIOLATIONS,
    InvalidJson,
    StatementsBody,
    UnsupportedStatementBody,
    parse_body,
    parse_json,
    read_json,
    read_statement,
    to_json,
)
from dataforge.contexts.lrs.statements.domain.normal_form import (
    content_sha256,
    has_content,
    normal_form,
    same_statement,
)
from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.times import duration_ms, format_timestamp, parse_timestamp
from dataforge.contexts.lrs.statements.domain.validation import VOIDED, validate_agent, validate_statement
from dataforge.contexts.lrs.statements.domain.versions import XapiVersion, negotiate_version

__all__ = [
    "MAX_DEPTH",
    "MAX_NUMBER_DIGITS",
    "MAX_VIOLATIONS",
    "VOIDED",
    "FlatStatement",
    "InvalidJson",
    "InvalidStatements",
    "PreparedBatch",
    "PreparedStatement",
    "Rule",
    "StatementsBody",
    "UnsupportedStatementBody",
    "XapiVersion",
    "actor_email",
    "actor_key",
    "content_sha256",
    "duration_ms",
    "flatten_statement",
    "format_timestamp",
    "has_content",
    "is_completion",
    "negotiate_version",
    "normal_form",
    "parse_body",
    "parse_json",
    "parse_statement_id",
    "parse_timestamp",
    "prepare_batch",
    "read_json",
    "read_statement",
    "same_statement",
    "to_json",
    "validate_agent",
    "validate_body",
    "validate_statement",
    "voided_id",
    "with_statement_id",
]
