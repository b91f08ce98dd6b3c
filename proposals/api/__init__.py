"""Proposals and decisions in the network API, over the same services as the pages."""
