"""Mail: messages from templates, handed to SES or to an SMTP server."""
