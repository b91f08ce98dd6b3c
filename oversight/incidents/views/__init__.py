"""Pages that write about incidents; those that only show stand in `oversight/dashboards`."""
