"""Addresses of the evaluation floor."""

from django.urls import path

from evals import views
from evals.api import public, worker

WORKER = "api/v1/worker/"

urlpatterns = [
    path("suites/<slug:slug>/start/", views.start_run, name="run-start"),
    path("runs/<str:ref>/cancel/", views.cancel, name="run-cancel"),
    path("api/v1/suites/", public.SuiteList.as_view(), name="api-suites"),
    path("api/v1/suites/<slug:slug>/", public.SuiteDetail.as_view(), name="api-suite"),
    path(
        "api/v1/suites/<slug:slug>/lm-eval.zip",
        public.SuiteFolder.as_view(),
        name="api-suite-folder",
    ),
    path("api/v1/runs/", public.RunList.as_view(), name="api-runs"),
    path("api/v1/runs/<str:ref>/", public.RunDetail.as_view(), name="api-run"),
    path("api/v1/runs/<str:ref>/cancel/", public.RunCancel.as_view(), name="api-run-cancel"),
    path(
        "api/v1/runs/<str:ref>/samples.jsonl", public.RunSamples.as_view(), name="api-run-samples"
    ),
    path(f"{WORKER}hello", worker.Hello.as_view(), name="worker-hello"),
    path(f"{WORKER}claim", worker.Claim.as_view(), name="worker-claim"),
    path(f"{WORKER}artefacts/<str:sha256>", worker.Download.as_view(), name="worker-download"),
    path(
        f"{WORKER}task-runs/<uuid:task_run_id>/heartbeat",
        worker.Heartbeat.as_view(),
        name="worker-heartbeat",
    ),
    path(
        f"{WORKER}task-runs/<uuid:task_run_id>/artefacts/<str:sha256>",
        worker.Upload.as_view(),
        name="worker-upload",
    ),
    path(
        f"{WORKER}task-runs/<uuid:task_run_id>/result",
        worker.Result.as_view(),
        name="worker-result",
    ),
    path(
        f"{WORKER}task-runs/<uuid:task_run_id>/failure",
        worker.Failure.as_view(),
        name="worker-failure",
    ),
]
