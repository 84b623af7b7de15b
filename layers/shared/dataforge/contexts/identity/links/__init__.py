"""Links in mails that prove an address: each does one thing, once."""
