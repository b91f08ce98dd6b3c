"""Addresses of the deciding floor."""

from django.urls import path

from proposals import api, views

urlpatterns = [
    path("proposals/new/", views.create, name="proposal-create"),
    path("proposals/<str:ref>/", views.detail, name="proposal"),
    path("proposals/<str:ref>/edit/", views.edit, name="proposal-edit"),
    path("proposals/<str:ref>/revisions/<int:number>/", views.revision, name="proposal-revision"),
    path("proposals/<str:ref>/comments/", views.comment, name="proposal-comment"),
    path(
        "proposals/<str:ref>/comments/<int:pk>/hide/",
        views.hide_comment,
        name="proposal-comment-hide",
    ),
    path("proposals/<str:ref>/criteria/", views.add_criterion, name="proposal-criterion"),
    path("proposals/<str:ref>/evaluate/", views.evaluate, name="proposal-evaluate"),
    path("proposals/<str:ref>/move/", views.move, name="proposal-move"),
    path("proposals/<str:ref>/end/", views.end, name="proposal-end"),
    path("proposals/<str:ref>/ballot/", views.ballot, name="proposal-ballot"),
    path("api/v1/proposals/", api.ProposalList.as_view(), name="api-proposals"),
    path("api/v1/proposals/<str:ref>/", api.ProposalDetail.as_view(), name="api-proposal"),
    path("api/v1/proposals/<str:ref>/criteria/", api.Criteria.as_view(), name="api-criteria"),
    path("api/v1/proposals/<str:ref>/comments/", api.Comments.as_view(), name="api-comments"),
    path("api/v1/proposals/<str:ref>/stage/", api.Stage.as_view(), name="api-stage"),
    path("api/v1/proposals/<str:ref>/ballot/", api.Ballots.as_view(), name="api-ballot"),
    path("api/v1/decisions/", api.DecisionList.as_view(), name="api-decisions"),
    path("api/v1/decisions/<str:ref>/", api.DecisionDetail.as_view(), name="api-decision"),
]
