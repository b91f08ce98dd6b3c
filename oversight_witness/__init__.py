"""A C2SP witness and monitor for any organisation to run; needs Python and `cryptography` alone.

It shares no code with the log that it watches, so that a mistake there is not repeated here. Start
at `witness.py` (what is cosigned and what is refused); `server.py` is HTTP, `monitor.py` follows.
"""
