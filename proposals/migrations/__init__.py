"""The steps of this floor's tables."""
