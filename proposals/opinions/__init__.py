"""The opinion map: from who agreed with what to groups, and what unites and divides them.

Free of Django; `python -m proposals.opinions INPUT.json` draws a published map again. Every sum is
one of whole numbers, so that every machine gets the same map. Start reading at `drawing`.
"""
