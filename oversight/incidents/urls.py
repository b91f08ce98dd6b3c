"""Addresses at which incidents are reported, followed and handled, and their API."""

from django.urls import path

from oversight.incidents.api import handling as handling_api
from oversight.incidents.api import public as public_api
from oversight.incidents.views import handling, reporting

urlpatterns = [
    path("incidents/report/", reporting.report, name="incident-report"),
    path("incidents/follow/<str:secret>/", reporting.follow, name="incident-follow"),
    path("incidents/<str:ref>/handle/", handling.handle, name="incident-handle"),
    path("incidents/<str:ref>/handle/review/", handling.review, name="incident-review"),
    path("incidents/<str:ref>/handle/<str:act>/", handling.act, name="incident-act"),
    path("incidents/<str:ref>/unlink/<int:pk>/", handling.unlink, name="incident-unlink"),
    path("incidents/<str:ref>/suspend/<str:decision>/", handling.suspend, name="incident-suspend"),
    path("incidents/<str:ref>/files/<int:pk>/", handling.file, name="incident-file"),
    path("api/v1/incidents/", public_api.Incidents.as_view(), name="api-incidents"),
    path("api/v1/incidents/form/", public_api.Form.as_view(), name="api-incident-form"),
    path("api/v1/incidents/follow/", public_api.Follow.as_view(), name="api-incident-follow"),
    path("api/v1/incidents/add/", public_api.Add.as_view(), name="api-incident-add"),
    path("api/v1/incidents/files/", public_api.Files.as_view(), name="api-incident-files"),
    path(
        "api/v1/incidents/statistics/",
        public_api.Statistics.as_view(),
        name="api-incident-statistics",
    ),
    path("api/v1/incidents/<str:ref>/", public_api.Detail.as_view(), name="api-incident"),
    path("api/v1/incidents/<str:ref>/oecd/", public_api.Oecd.as_view(), name="api-incident-oecd"),
    path(
        "api/v1/incidents/<str:ref>/report/",
        handling_api.Report.as_view(),
        name="api-incident-report",
    ),
    path(
        "api/v1/incidents/<str:ref>/files/<int:pk>/",
        handling_api.ReportFile.as_view(),
        name="api-incident-file",
    ),
    path(
        "api/v1/incidents/<str:ref>/triage/",
        handling_api.Triage.as_view(),
        name="api-incident-triage",
    ),
    path(
        "api/v1/incidents/<str:ref>/judgement/",
        handling_api.Judgement.as_view(),
        name="api-incident-judgement",
    ),
    path(
        "api/v1/incidents/<str:ref>/state/", handling_api.State.as_view(), name="api-incident-state"
    ),
    path("api/v1/incidents/<str:ref>/text/", handling_api.Text.as_view(), name="api-incident-text"),
    path(
        "api/v1/incidents/<str:ref>/notes/", handling_api.Notes.as_view(), name="api-incident-notes"
    ),
    path(
        "api/v1/incidents/<str:ref>/answers/",
        handling_api.Answers.as_view(),
        name="api-incident-answers",
    ),
    path(
        "api/v1/incidents/<str:ref>/links/", handling_api.Links.as_view(), name="api-incident-links"
    ),
    path(
        "api/v1/incidents/<str:ref>/links/<int:pk>/",
        handling_api.Link.as_view(),
        name="api-incident-link",
    ),
    path(
        "api/v1/incidents/<str:ref>/moderation/",
        handling_api.Moderation.as_view(),
        name="api-incident-moderation",
    ),
    path(
        "api/v1/incidents/<str:ref>/suspension/",
        handling_api.Suspension.as_view(),
        name="api-incident-suspension",
    ),
    path(
        "api/v1/incidents/<str:ref>/review/",
        handling_api.Review.as_view(),
        name="api-incident-review",
    ),
]
