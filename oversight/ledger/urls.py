"""Addresses of the log as tiled logs have them (c2sp.org/tlog-tiles), mounted at `/log/`."""

from django.urls import path

from oversight.ledger import views

app_name = "ledger"

urlpatterns = [
    path("checkpoint", views.checkpoint, name="checkpoint"),
    path("tile/<path:where>", views.tile, name="tile"),
    path("vkey", views.vkey, name="vkey"),
    path("vkeys", views.vkeys, name="vkeys"),
    path("proof/<int:index>", views.proof, name="proof"),
    path("timestamp/<int:size>", views.timestamp, name="timestamp"),
]
