"""Incidents in the network API, over the same services as the pages."""
