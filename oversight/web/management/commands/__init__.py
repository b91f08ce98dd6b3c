"""`makemessages`."""
