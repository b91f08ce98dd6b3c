"""Addresses of the deciding floor."""

from django.urls import path

from proposals import api
from proposals.views import ballots, charters, drafting, moves, page, results, roll, talk

urlpatterns = [
    path("administration/bodies/<slug:slug>/charter/", charters.adopt, name="charter-adopt"),
    path("proposals/new/", drafting.create, name="proposal-create"),
    path("proposals/<str:ref>/", page.detail, name="proposal"),
    path("proposals/<str:ref>/edit/", drafting.edit, name="proposal-edit"),
    path("proposals/<str:ref>/revisions/<int:number>/", page.revision, name="proposal-revision"),
    path("proposals/<str:ref>/comments/", talk.comment, name="proposal-comment"),
    path(
        "proposals/<str:ref>/comments/<int:pk>/hide/",
        talk.hide_comment,
        name="proposal-comment-hide",
    ),
    path("proposals/<str:ref>/conflict/", roll.conflict, name="proposal-conflict"),
    path("bodies/<slug:slug>/delegation/", roll.delegation, name="delegation"),
    path("proposals/<str:ref>/criteria/", drafting.add_criterion, name="proposal-criterion"),
    path("proposals/<str:ref>/evaluate/", drafting.evaluate, name="proposal-evaluate"),
    path("proposals/<str:ref>/move/", moves.move, name="proposal-move"),
    path("proposals/<str:ref>/end/", moves.end, name="proposal-end"),
    path("proposals/<str:ref>/ballot/", ballots.ballot, name="proposal-ballot"),
    path("proposals/<str:ref>/casting-vote/", results.casting_vote, name="proposal-casting-vote"),
    path("proposals/<str:ref>/sheet/", results.sheet, name="proposal-sheet"),
    path("proposals/<str:ref>/sheet.json", results.sheet_json, name="proposal-sheet-json"),
    path("api/v1/proposals/", api.ProposalList.as_view(), name="api-proposals"),
    path("api/v1/proposals/<str:ref>/", api.ProposalDetail.as_view(), name="api-proposal"),
    path("api/v1/proposals/<str:ref>/criteria/", api.Criteria.as_view(), name="api-criteria"),
    path("api/v1/proposals/<str:ref>/comments/", api.Comments.as_view(), name="api-comments"),
    path("api/v1/proposals/<str:ref>/conflict/", api.Conflicts.as_view(), name="api-conflict"),
    path("api/v1/bodies/<slug:slug>/delegation/", api.Delegations.as_view(), name="api-delegation"),
    path("api/v1/proposals/<str:ref>/stage/", api.Stage.as_view(), name="api-stage"),
    path("api/v1/proposals/<str:ref>/ballot/", api.Ballots.as_view(), name="api-ballot"),
    path(
        "api/v1/proposals/<str:ref>/casting-vote/",
        api.CastingVotes.as_view(),
        name="api-casting-vote",
    ),
    path("api/v1/decisions/", api.DecisionList.as_view(), name="api-decisions"),
    path("api/v1/decisions/<str:ref>/", api.DecisionDetail.as_view(), name="api-decision"),
]
