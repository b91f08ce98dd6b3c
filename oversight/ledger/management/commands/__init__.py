"""`sequencer` (the process), `log_fsck` (the nightly check), `log_key` (the key)."""
