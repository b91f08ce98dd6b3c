"""The public pages, read-only, one module per floor that they show.

`overview` answers first, `registry`, `evaluations`, `decisions` and `record` explain, `pages` holds
the texts about the site itself.
"""
