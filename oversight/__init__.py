"""oversight: a public body decides which AI models serve the public, and anyone can check it.

The floors are packages that import downwards only: dashboards, proposals, evals, registry,
accounts, ledger. Start reading at `oversight/urls.py`, then follow one view to its service.
"""
