"""The only writers of incidents: reporting, handling, linking, what follows, erasing.

Each public function is one use case in one durable transaction with its leaf and its line of the
public timeline. Start at `reporting.py`.
"""
