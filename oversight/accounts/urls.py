"""Addresses of the accounts floor; sign-in and second factors are allauth's under /accounts/."""

from django.urls import path

from oversight.accounts import views

urlpatterns = [
    path(
        "first-administrator/<str:secret>/", views.first_administrator, name="first-administrator"
    ),
    path("my/keys/", views.api_keys, name="api-keys"),
    path("my/keys/<str:prefix>/revoke/", views.revoke_api_key, name="api-key-revoke"),
    path("administration/", views.administration, name="administration"),
    path("administration/bodies/", views.found_body, name="body-found"),
    path("administration/bodies/<slug:slug>/", views.manage_body, name="administration-body"),
    path(
        "administration/memberships/<str:public_id>/end/",
        views.end_membership,
        name="membership-end",
    ),
    path("administration/organisations/", views.admit_organisation, name="organisation-admit"),
    path(
        "administration/organisations/<slug:slug>/",
        views.manage_organisation,
        name="administration-organisation",
    ),
    path(
        "administration/affiliations/<int:pk>/end/", views.end_affiliation, name="affiliation-end"
    ),
]
