"""The network API of the evaluation floor: `public` for everyone, `worker` for machines."""
