"""Addresses of the accounts floor; sign-in and second factors are allauth's under /accounts/."""

from django.urls import path

from oversight.accounts import administration_api, api
from oversight.accounts.views import administration, notices

urlpatterns = [
    path(
        "first-administrator/<str:secret>/",
        administration.first_administrator,
        name="first-administrator",
    ),
    path("my/notices/", notices.notices, name="notices"),
    path("my/notices/read/", notices.mark_all_read, name="notices-read"),
    path("my/notices/<int:pk>/read/", notices.mark_read, name="notice-read"),
    path("my/notices/settings/", notices.notice_settings, name="notice-settings"),
    path("notices/stop/<str:token>/", notices.unsubscribe, name="unsubscribe"),
    path("my/keys/", administration.api_keys, name="api-keys"),
    path("my/keys/<str:prefix>/revoke/", administration.revoke_api_key, name="api-key-revoke"),
    path("administration/", administration.administration, name="administration"),
    path("administration/bodies/", administration.found_body, name="body-found"),
    path(
        "administration/bodies/<slug:slug>/", administration.manage_body, name="administration-body"
    ),
    path(
        "administration/bodies/<slug:slug>/language/",
        administration.set_language,
        name="body-language",
    ),
    path(
        "administration/memberships/<str:public_id>/end/",
        administration.end_membership,
        name="membership-end",
    ),
    path(
        "administration/organisations/",
        administration.admit_organisation,
        name="organisation-admit",
    ),
    path(
        "administration/organisations/<slug:slug>/",
        administration.manage_organisation,
        name="administration-organisation",
    ),
    path(
        "administration/affiliations/<int:pk>/end/",
        administration.end_affiliation,
        name="affiliation-end",
    ),
    path("api/v1/my/notices/", api.NoticeList.as_view(), name="api-notices"),
    path("api/v1/my/notices/read/", api.NoticesRead.as_view(), name="api-notices-read"),
    path("api/v1/my/notices/settings/", api.NoticeChoices.as_view(), name="api-notice-settings"),
    path("api/v1/bodies/", administration_api.Bodies.as_view(), name="api-bodies"),
    path("api/v1/bodies/<slug:slug>/", administration_api.BodyDetail.as_view(), name="api-body"),
    path(
        "api/v1/bodies/<slug:slug>/members/", administration_api.Seats.as_view(), name="api-seats"
    ),
    path(
        "api/v1/bodies/<slug:slug>/members/<str:seat>/end/",
        administration_api.SeatEnd.as_view(),
        name="api-seat-end",
    ),
    path(
        "api/v1/organisations/",
        administration_api.Organisations.as_view(),
        name="api-organisations",
    ),
    path(
        "api/v1/organisations/<slug:slug>/affiliations/",
        administration_api.Affiliations.as_view(),
        name="api-affiliations",
    ),
    path(
        "api/v1/organisations/<slug:slug>/affiliations/<int:pk>/end/",
        administration_api.AffiliationEnd.as_view(),
        name="api-affiliation-end",
    ),
]
