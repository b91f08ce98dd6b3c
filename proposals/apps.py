"""Django's registration of the deciding floor."""

from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    """Proposals, ballots and decisions."""

    name = "proposals"
    label = "proposals"
