"""All addresses of the site: each floor brings its own."""

from django.contrib import admin
from django.urls import include, path

handler400 = "oversight.web.views.bad_request"
handler404 = "oversight.web.views.not_found"
handler500 = "oversight.web.views.fault"

urlpatterns = [
    path("", include("oversight.webhooks.urls")),
    path("", include("oversight.incidents.urls")),
    path("", include("oversight.dashboards.urls")),
    path("", include("proposals.urls")),
    path("", include("evals.urls")),
    path("", include("oversight.registry.urls")),
    path("", include("oversight.accounts.urls")),
    path("log/", include("oversight.ledger.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
