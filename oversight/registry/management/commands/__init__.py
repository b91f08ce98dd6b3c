"""Commands of this floor; each is a few lines over its services."""
