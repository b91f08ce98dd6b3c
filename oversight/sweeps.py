"""What the clock asks for and how often, in seconds: Celery's schedule of the server's own tasks.

The sweeps find what a lost message or a dead process left behind; each is idempotent.
"""

SWEEPS = {
    "close-due-votes": {"task": "proposals.close_due_votes", "schedule": 5.0},
    "remind-of-votes": {"task": "proposals.remind_of_votes", "schedule": 60.0},
    "open-due-votes": {"task": "proposals.open_due_votes", "schedule": 5.0},
    "look-ahead": {"task": "proposals.look_ahead", "schedule": 60.0},
    "draw-opinion-maps": {"task": "proposals.draw_opinion_maps", "schedule": 30.0},
    "requeue-expired-leases": {"task": "evals.requeue_expired_leases", "schedule": 5.0},
    "check-endpoints": {"task": "evals.check_endpoints", "schedule": 30.0},
    "tell-of-alarms": {"task": "proposals.tell_of_alarms", "schedule": 30.0},
    "forget-old-probes": {"task": "evals.forget_old_probes", "schedule": 3600.0},
    "mend-copies": {"task": "evals.mend_copies", "schedule": 3600.0},
    "stop-spent-budgets": {"task": "evals.stop_spent_budgets", "schedule": 5.0},
    "nudge-workers": {"task": "evals.nudge_workers", "schedule": 20.0},
    "gate-tick": {"task": "registry.tick", "schedule": 30.0},
    "check-record": {"task": "ledger.check_record", "schedule": 3600.0},
    "send-notices": {"task": "accounts.send_notices", "schedule": 10.0},
    "prune-notices": {"task": "accounts.prune_notices", "schedule": 3600.0},
    "forget-answers": {"task": "accounts.forget_answers", "schedule": 3600.0},
    "forget-reporters": {"task": "incidents.forget_reporters", "schedule": 3600.0},
    "take-snapshot": {"task": "snapshots.take", "schedule": 600.0},
    "deliver-webhooks": {"task": "webhooks.deliver", "schedule": 3.0},
}
