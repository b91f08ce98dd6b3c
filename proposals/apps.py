"""Django's registration of the deciding floor."""

from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    """Proposals, ballots and decisions."""

    name = "proposals"
    label = "proposals"

    def ready(self) -> None:
        """Tell the gate, which stands floors below, how to find what a decision rests on."""
        from oversight.registry.gate.inputs import provide
        from proposals.gate_inputs import inputs_of

        provide(inputs_of)
