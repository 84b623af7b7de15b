"""The second factor: codes that an authenticator app shows, and recovery codes for when it is lost."""
