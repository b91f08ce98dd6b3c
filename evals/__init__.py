"""Floor 3: suites, criteria, runs, samples, workers and their signed results.

May import the registry, accounts and ledger floors. `evals/worker` is what a GPU host runs and is
free of Django. Start reading at `evals/services/`.
"""
