"""Addresses of the registry floor."""

from django.urls import path

from oversight.registry import api, description_api, description_views, views
from oversight.registry.gate import api as gate_api

urlpatterns = [
    path("register/endpoint/", views.add_endpoint, name="endpoint-register"),
    path("register/use/", views.add_deployment, name="deployment-register"),
    path(
        "register/description/<str:kind>/<str:name>/",
        description_views.describe,
        name="describe",
    ),
    path("register/lineage/<str:digest>/", description_views.state_descent, name="state-descent"),
    path("api/v1/models/", api.ModelList.as_view(), name="api-models"),
    path("api/v1/models/<slug:slug>/", api.ModelDetail.as_view(), name="api-model"),
    path("api/v1/versions/<str:digest>/", api.VersionDetail.as_view(), name="api-version"),
    path(
        "api/v1/versions/<str:digest>/descriptions/",
        description_api.VersionDescriptions.as_view(),
        name="api-version-descriptions",
    ),
    path(
        "api/v1/versions/<str:digest>/lineage/",
        description_api.Lineage.as_view(),
        name="api-version-lineage",
    ),
    path("api/v1/endpoints/", api.EndpointList.as_view(), name="api-endpoints"),
    path("api/v1/endpoints/<slug:slug>/", api.EndpointDetail.as_view(), name="api-endpoint"),
    path(
        "api/v1/endpoints/<slug:slug>/descriptions/",
        description_api.EndpointDescriptions.as_view(),
        name="api-endpoint-descriptions",
    ),
    path("api/v1/deployments/", api.DeploymentList.as_view(), name="api-deployments"),
    path("api/v1/deployments/<slug:slug>/", api.DeploymentDetail.as_view(), name="api-deployment"),
    path("api/v1/gate/", gate_api.Gate.as_view(), name="api-gate"),
    path("api/v1/gate/keys/", gate_api.GateKeys.as_view(), name="api-gate-keys"),
    path(
        "api/v1/deployments/<slug:slug>/descriptions/",
        description_api.DeploymentDescriptions.as_view(),
        name="api-deployment-descriptions",
    ),
]
