"""Counting: exact, repeatable, and checkable by anyone with a plain Python.

Imports nothing outside the standard library, uses integers and fractions only, reads no clock
and no random source. Start reading at `methods` (ranked elections), `score`, `yes_no` or `consent`.
"""
