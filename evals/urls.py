"""Addresses of the evaluation floor."""

from django.urls import path

from evals.api import authoring, budgets, checks, exports, public, replications, worker, workers
from evals.views import checks as check_views
from evals.views import draft_beginnings, draft_tasks, drafts, runs

WORKER = "api/v1/worker/"
ONE_RUN = "api/v1/runs/<str:ref>/"
ONE_WORKER = "api/v1/workers/<str:worker>/"

urlpatterns = [
    path("drafts/", draft_beginnings.index, name="drafts"),
    path("drafts/library/<slug:slug>/", draft_beginnings.install, name="library-install"),
    path("drafts/<str:ref>/", drafts.draft, name="draft"),
    path("drafts/<str:ref>/upload/", drafts.upload, name="draft-upload"),
    path("drafts/<str:ref>/stock/", drafts.stock, name="draft-stock"),
    path("drafts/<str:ref>/publish/", drafts.publish, name="draft-publish"),
    path("drafts/<str:ref>/discard/", drafts.discard, name="draft-discard"),
    path("drafts/<str:ref>/tasks/<str:name>/", draft_tasks.task, name="draft-task"),
    path("drafts/<str:ref>/tasks/<str:name>/rows/", draft_tasks.shape, name="draft-shape"),
    path("drafts/<str:ref>/tasks/<str:name>/remove/", draft_tasks.remove, name="draft-remove"),
    path("register/checks/<str:digest>/", check_views.plan_checks, name="checks-plan"),
    path("register/checks/<str:digest>/end/", check_views.end_checks, name="checks-end"),
    path("suites/<slug:slug>/start/", runs.start_run, name="run-start"),
    path("runs/<str:ref>/cancel/", runs.cancel, name="run-cancel"),
    path("api/v1/suites/", public.SuiteList.as_view(), name="api-suites"),
    path("api/v1/suite-versions/", authoring.PublishSuite.as_view(), name="api-suite-publish"),
    path("api/v1/suite-preview/", authoring.PreviewSuite.as_view(), name="api-suite-preview"),
    path("api/v1/suites/<slug:slug>/", public.SuiteDetail.as_view(), name="api-suite"),
    path(
        "api/v1/suites/<slug:slug>/versions/",
        public.SuiteVersions.as_view(),
        name="api-suite-versions",
    ),
    path(
        "api/v1/suites/<slug:slug>/versions/<int:number>/",
        public.SuiteVersionDetail.as_view(),
        name="api-suite-version",
    ),
    path(
        "api/v1/suites/<slug:slug>/lm-eval.zip",
        public.SuiteFolder.as_view(),
        name="api-suite-folder",
    ),
    path("api/v1/checks/", checks.CheckList.as_view(), name="api-checks"),
    path(
        "api/v1/endpoints/<slug:slug>/availability/",
        checks.EndpointAvailability.as_view(),
        name="api-endpoint-availability",
    ),
    path("api/v1/check-plans/", checks.CheckPlanList.as_view(), name="api-check-plans"),
    path(
        "api/v1/check-plans/<str:digest>/end/",
        checks.CheckPlanEnd.as_view(),
        name="api-check-plan-end",
    ),
    path("api/v1/runs/", public.RunList.as_view(), name="api-runs"),
    path("api/v1/runs/<str:ref>/", public.RunDetail.as_view(), name="api-run"),
    path("api/v1/runs/<str:ref>/cancel/", public.RunCancel.as_view(), name="api-run-cancel"),
    path(
        "api/v1/runs/<str:ref>/samples.jsonl", public.RunSamples.as_view(), name="api-run-samples"
    ),
    *[
        path(f"{ONE_RUN}{file}", view.as_view(), name=name)
        for file, view, name in (
            ("results.json", exports.RunResultsJson, "api-run-results-json"),
            ("results.csv", exports.RunResultsCsv, "api-run-results-csv"),
            ("results.parquet", exports.RunResultsParquet, "api-run-results-parquet"),
            ("samples.csv", exports.RunSamplesCsv, "api-run-samples-csv"),
            ("samples.parquet", exports.RunSamplesParquet, "api-run-samples-parquet"),
            ("statements.json", exports.RunStatements, "api-run-statements"),
            ("every-eval-ever.json", exports.RunEveryEvalEver, "api-run-every-eval-ever"),
        )
    ],
    path("api/v1/workers/", workers.WorkerList.as_view(), name="api-workers"),
    path(f"{ONE_WORKER}pause/", workers.WorkerPause.as_view(), name="api-worker-pause"),
    path(f"{ONE_WORKER}resume/", workers.WorkerResume.as_view(), name="api-worker-resume"),
    path(f"{ONE_WORKER}revoke/", workers.WorkerRevoke.as_view(), name="api-worker-revoke"),
    path(f"{ONE_WORKER}rotate/", workers.WorkerRotate.as_view(), name="api-worker-rotate"),
    path("api/v1/budgets/", budgets.Budgets.as_view(), name="api-budgets"),
    path("api/v1/replications/", replications.ReplicationList.as_view(), name="api-replications"),
    path(
        "api/v1/replications/<str:ref>/",
        replications.ReplicationDetail.as_view(),
        name="api-replication",
    ),
    path(f"{WORKER}hello", worker.Hello.as_view(), name="worker-hello"),
    path(f"{WORKER}probes", checks.WorkerProbes.as_view(), name="worker-probes"),
    path(f"{WORKER}probes/seen", checks.WorkerProbesSeen.as_view(), name="worker-probes-seen"),
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
