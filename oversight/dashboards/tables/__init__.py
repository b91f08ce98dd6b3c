"""Public lists as tables: the columns of each with what they mean, their rows, and their files.

Start reading at `columns.py`; `dictionary.py` names every table there is.
"""
