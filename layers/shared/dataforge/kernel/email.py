"""What an e-mail address is: one answer for sign-up, students, learner lists and rosters.

Narrower than RFC 5321 on purpose: no quoted local parts, no address literals, and no character that separates or quotes
addresses, so that one text never becomes two recipients.
"""

import re

# RFC 5321 §4.5.3.1 has 64 octets for the part before @ and 254 for the whole path.
MAX_EMAIL = 254
_ATOM = r"[^@\s\x00-\x1f\x7f,;:<>()\[\]\\\".]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


def is_email(text: str) -> bool:
    """Whether the text is exactly one e-mail address; a domain without a dot, such as localhost, is one too."""
    # As it is stored: some letters (İ) have more characters in lower case.
    return len(text.lower()) <= MAX_EMAIL and _ADDRESS.fullmatch(text) is not None
