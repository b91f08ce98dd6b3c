"""Floor 5: the public pages, read-only. May import every floor; writes nothing.

Start reading at `oversight/dashboards/views/`.
"""
