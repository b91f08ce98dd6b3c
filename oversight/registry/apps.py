"""Django's registration of the registry floor."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Models, deployments and the gate."""

    name = "oversight.registry"
    label = "registry"
