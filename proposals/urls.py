"""Addresses of the deciding floor."""

from django.urls import path

from proposals.api import alarms as alarms_api
from proposals.api import amendments as texts
from proposals.api import attachments as files
from proposals.api import charters as charters_api
from proposals.api import decisions, proposals, talk, votes
from proposals.api import minutes as minutes_api
from proposals.api import next_steps as next_steps_api
from proposals.api import opinions as api_opinions
from proposals.api import recounts as recounts_api
from proposals.views import (
    alarms,
    amendments,
    arguments,
    attachments,
    ballots,
    charters,
    creating,
    decided,
    drafting,
    minutes,
    moderation,
    moves,
    opinions,
    page,
    passages,
    recounts,
    results,
    roll,
)
from proposals.views import talk as talk_pages

urlpatterns = [
    path("administration/bodies/<slug:slug>/charter/", charters.adopt, name="charter-adopt"),
    path("proposals/new/", creating.create, name="proposal-create"),
    path("proposals/<str:ref>/", page.detail, name="proposal"),
    path("proposals/<str:ref>/edit/", drafting.edit, name="proposal-edit"),
    path("proposals/<str:ref>/revisions/<int:number>/", page.revision, name="proposal-revision"),
    path("proposals/<str:ref>/amend/", amendments.amend, name="proposal-amend"),
    path(
        "proposals/<str:ref>/amendments/<int:number>/",
        amendments.amendment,
        name="proposal-amendment",
    ),
    path(
        "proposals/<str:ref>/amendments/<int:number>/edit/",
        amendments.edit,
        name="proposal-amendment-edit",
    ),
    path(
        "proposals/<str:ref>/amendments/<int:number>/act/",
        amendments.act,
        name="proposal-amendment-act",
    ),
    path("proposals/<str:ref>/attachments/", attachments.attach, name="proposal-attach"),
    path(
        "proposals/<str:ref>/attachments/<int:pk>/",
        attachments.attachment,
        name="proposal-attachment",
    ),
    path(
        "proposals/<str:ref>/attachments/<int:pk>/remove/",
        attachments.detach,
        name="proposal-detach",
    ),
    path("proposals/<str:ref>/support/", attachments.support, name="proposal-support"),
    path("proposals/<str:ref>/comments/", talk_pages.comment, name="proposal-comment"),
    path(
        "proposals/<str:ref>/comments/<int:pk>/hide/",
        talk_pages.hide_comment,
        name="proposal-comment-hide",
    ),
    path(
        "proposals/<str:ref>/revisions/<int:number>/passages/<int:block>/",
        passages.passage,
        name="proposal-passage",
    ),
    path("proposals/<str:ref>/arguments/", arguments.arguments, name="proposal-arguments"),
    path(
        "proposals/<str:ref>/arguments/<int:pk>/support/",
        arguments.support,
        name="proposal-argument-support",
    ),
    path("proposals/<str:ref>/moderation/", moderation.log, name="proposal-moderation"),
    path(
        "proposals/<str:ref>/moderation/<str:kind>/<int:pk>/",
        moderation.moderate,
        name="proposal-moderate",
    ),
    path("bodies/<slug:slug>/moderation/", moderation.body_log, name="body-moderation"),
    path("proposals/<str:ref>/statements/", opinions.statements, name="proposal-statements"),
    path("proposals/<str:ref>/opinions/", opinions.opinions, name="proposal-opinions"),
    path("proposals/<str:ref>/opinions/answer/", opinions.answer, name="proposal-answer"),
    path("proposals/<str:ref>/opinions/map.json", opinions.map_json, name="opinions-map"),
    path("proposals/<str:ref>/opinions/input.json", opinions.input_json, name="opinions-input"),
    path("proposals/<str:ref>/opinions/input.csv", opinions.input_csv, name="opinions-input-csv"),
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
    path("count/", recounts.count, name="count"),
    path("api/v1/count/", recounts_api.Recounts.as_view(), name="api-count"),
    path("bodies/<slug:slug>/minutes/", minutes.minutes_of, name="minutes-list"),
    path("bodies/<slug:slug>/minutes/<int:number>/<int:version>/", minutes.minutes, name="minutes"),
    path(
        "bodies/<slug:slug>/minutes/<int:number>/<int:version>/minutes.json",
        minutes.minutes_document,
        name="minutes-document",
    ),
    path(
        "bodies/<slug:slug>/minutes/<int:number>/<int:version>/edit/",
        minutes.edit,
        name="minutes-edit",
    ),
    path(
        "bodies/<slug:slug>/minutes/<int:number>/<int:version>/move/",
        minutes.move,
        name="minutes-move",
    ),
    path(
        "api/v1/bodies/<slug:slug>/minutes/",
        minutes_api.MinutesList.as_view(),
        name="api-minutes-list",
    ),
    path(
        "api/v1/bodies/<slug:slug>/minutes/<int:number>/<int:version>/",
        minutes_api.MinutesDetail.as_view(),
        name="api-minutes",
    ),
    path(
        "api/v1/bodies/<slug:slug>/minutes/<int:number>/<int:version>/stage/",
        minutes_api.MinutesActs.as_view(),
        name="api-minutes-stage",
    ),
    path("decisions/<str:ref>/ballots.blt", results.ballots_blt, name="decision-ballots-blt"),
    path("api/v1/my/next-steps/", next_steps_api.NextSteps.as_view(), name="api-my-next-steps"),
    path("api/v1/my/votes/", votes.AwaitedVotes.as_view(), name="api-my-votes"),
    path("endpoints/<slug:slug>/alarm/<str:decision>/review/", alarms.review, name="alarm-review"),
    path(
        "api/v1/endpoints/<slug:slug>/alarm/review/",
        alarms_api.AlarmReview.as_view(),
        name="api-alarm-review",
    ),
    path("decisions/<str:ref>/suspend/", decided.suspend, name="decision-suspend"),
    path("decisions/<str:ref>/annul/", decided.annul, name="decision-annul"),
    path("decisions/<str:ref>/statements/<slug:kind>/", decided.state, name="decision-statement"),
    path("api/v1/proposals/", proposals.ProposalList.as_view(), name="api-proposals"),
    path("api/v1/proposals/<str:ref>/", proposals.ProposalDetail.as_view(), name="api-proposal"),
    path("api/v1/proposals/<str:ref>/criteria/", proposals.Criteria.as_view(), name="api-criteria"),
    path(
        "api/v1/proposals/<str:ref>/evaluations/",
        proposals.Evaluations.as_view(),
        name="api-evaluations",
    ),
    path("api/v1/proposals/<str:ref>/revisions/", texts.Revisions.as_view(), name="api-revisions"),
    path(
        "api/v1/proposals/<str:ref>/revisions/<int:number>/",
        texts.RevisionDetail.as_view(),
        name="api-revision",
    ),
    path("api/v1/proposals/<str:ref>/preview/", texts.Preview.as_view(), name="api-preview"),
    path(
        "api/v1/proposals/<str:ref>/amendments/",
        texts.Amendments.as_view(),
        name="api-amendments",
    ),
    path(
        "api/v1/proposals/<str:ref>/amendments/<int:number>/",
        texts.AmendmentDetail.as_view(),
        name="api-amendment",
    ),
    path(
        "api/v1/proposals/<str:ref>/amendments/<int:number>/act/",
        texts.AmendmentAct.as_view(),
        name="api-amendment-act",
    ),
    path(
        "api/v1/proposals/<str:ref>/attachments/",
        files.Attachments.as_view(),
        name="api-attachments",
    ),
    path(
        "api/v1/proposals/<str:ref>/attachments/<int:pk>/",
        files.AttachmentFile.as_view(),
        name="api-attachment",
    ),
    path(
        "api/v1/proposals/<str:ref>/attachments/<int:pk>/remove/",
        files.AttachmentRemoval.as_view(),
        name="api-attachment-remove",
    ),
    path("api/v1/proposals/<str:ref>/support/", files.Supports.as_view(), name="api-support"),
    path("api/v1/proposals/<str:ref>/comments/", talk.Comments.as_view(), name="api-comments"),
    path("api/v1/proposals/<str:ref>/arguments/", talk.Arguments.as_view(), name="api-arguments"),
    path(
        "api/v1/proposals/<str:ref>/arguments/<int:pk>/support/",
        talk.ArgumentSupport.as_view(),
        name="api-argument-support",
    ),
    path(
        "api/v1/proposals/<str:ref>/moderation/", talk.Moderations.as_view(), name="api-moderation"
    ),
    path(
        "api/v1/bodies/<slug:slug>/moderation/",
        talk.BodyModerations.as_view(),
        name="api-body-moderation",
    ),
    path(
        "api/v1/proposals/<str:ref>/statements/",
        api_opinions.Statements.as_view(),
        name="api-statements",
    ),
    path(
        "api/v1/proposals/<str:ref>/statements/next/",
        api_opinions.NextStatement.as_view(),
        name="api-statement-next",
    ),
    path(
        "api/v1/proposals/<str:ref>/statements/<int:pk>/answer/",
        api_opinions.Answers.as_view(),
        name="api-answer",
    ),
    path(
        "api/v1/proposals/<str:ref>/opinions/",
        api_opinions.OpinionMaps.as_view(),
        name="api-opinions",
    ),
    path("api/v1/proposals/<str:ref>/conflict/", votes.Conflicts.as_view(), name="api-conflict"),
    path(
        "api/v1/bodies/<slug:slug>/delegation/", votes.Delegations.as_view(), name="api-delegation"
    ),
    path("api/v1/proposals/<str:ref>/stage/", proposals.Stage.as_view(), name="api-stage"),
    path("api/v1/proposals/<str:ref>/ballot/", votes.Ballots.as_view(), name="api-ballot"),
    path(
        "api/v1/proposals/<str:ref>/casting-vote/",
        votes.CastingVotes.as_view(),
        name="api-casting-vote",
    ),
    path("api/v1/decisions/", decisions.DecisionList.as_view(), name="api-decisions"),
    path(
        "api/v1/decisions/<str:ref>/ballots.blt",
        decisions.DecisionBallots.as_view(),
        name="api-decision-ballots-blt",
    ),
    path("api/v1/decisions/<str:ref>/", decisions.DecisionDetail.as_view(), name="api-decision"),
    path(
        "api/v1/decisions/<str:ref>/suspension/",
        decisions.Suspension.as_view(),
        name="api-decision-suspension",
    ),
    path(
        "api/v1/decisions/<str:ref>/annulment/",
        decisions.Annulment.as_view(),
        name="api-decision-annulment",
    ),
    path(
        "api/v1/decisions/<str:ref>/statements/",
        decisions.Statements.as_view(),
        name="api-decision-statements",
    ),
    path(
        "api/v1/bodies/<slug:slug>/charters/", charters_api.Charters.as_view(), name="api-charters"
    ),
]
