"""All addresses of the site: each floor brings its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("oversight.dashboards.urls")),
    path("", include("proposals.urls")),
    path("", include("evals.urls")),
    path("", include("oversight.registry.urls")),
    path("", include("oversight.accounts.urls")),
    path("log/", include("oversight.ledger.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
