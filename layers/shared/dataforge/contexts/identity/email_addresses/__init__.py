"""E-mail addresses: proved by a link that is mailed to them, and changed only with that proof."""
