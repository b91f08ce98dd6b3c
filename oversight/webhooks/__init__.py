"""Webhooks: what is new on the record, sent to addresses that people subscribe, signed.

Stands above the public pages, whose words and addresses of acts it sends; may import every floor.
Start reading at `delivering.py`.
"""
