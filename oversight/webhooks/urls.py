"""Addresses of webhooks."""

from django.urls import path

from oversight.webhooks import api, views

urlpatterns = [
    path("my/webhooks/", views.webhooks, name="webhooks"),
    path("my/webhooks/<str:public_id>/", views.webhook, name="webhook"),
    path("my/webhooks/<str:public_id>/secret/", views.rotate, name="webhook-secret"),
    path("my/webhooks/<str:public_id>/challenge/", views.challenge, name="webhook-challenge"),
    path("my/webhooks/<str:public_id>/ping/", views.ping, name="webhook-ping"),
    path("my/webhooks/<str:public_id>/again/", views.send_again, name="webhook-again"),
    path("my/webhooks/<str:public_id>/delete/", views.delete, name="webhook-delete"),
    path("api/v1/webhooks/", api.Webhooks.as_view(), name="api-webhooks"),
    path("api/v1/webhooks/<str:public_id>/", api.WebhookDetail.as_view(), name="api-webhook"),
    path(
        "api/v1/webhooks/<str:public_id>/attempts/",
        api.Attempts.as_view(),
        name="api-webhook-attempts",
    ),
    path(
        "api/v1/webhooks/<str:public_id>/secret/",
        api.NewSecret.as_view(),
        name="api-webhook-secret",
    ),
    path(
        "api/v1/webhooks/<str:public_id>/challenge/",
        api.Challenge.as_view(),
        name="api-webhook-challenge",
    ),
    path("api/v1/webhooks/<str:public_id>/ping/", api.Ping.as_view(), name="api-webhook-ping"),
    path("api/v1/webhooks/<str:public_id>/again/", api.Again.as_view(), name="api-webhook-again"),
]
