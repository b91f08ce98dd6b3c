"""Addresses of the page about data and of snapshots."""

from django.urls import path

from oversight.snapshots import views

urlpatterns = [
    path("data/", views.data, name="data"),
    path("data/catalogue.jsonld", views.data_catalogue, name="data-catalogue"),
    path("data/everything.zip", views.newest_snapshot, name="newest-snapshot"),
    path("data/snapshots/<slug:sha256>.zip", views.snapshot, name="snapshot"),
]
