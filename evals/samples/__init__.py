"""Read and write the samples of a task run: a Parquet file with one row a sample.

The columns are those of `Sample`; `prompts` and `responses` are JSON in text, and each metric has a
column `score:<metric>`. Rows are sorted by `doc_id`, each once. Reading and writing go by group of
rows, so that a million samples need no more memory than a thousand. What comes from a worker is
not trusted: every value is checked, and an error names the row and the column.

pyarrow is imported inside the functions, so that a process that never reads samples stays small.
"""

from evals.samples.reading import Block, SamplesReader, read_samples
from evals.samples.values import SCORE_PREFIX, TEXT_COLUMNS, Sample, SamplesError
from evals.samples.writing import SamplesFile, write_samples

__all__ = [
    "SCORE_PREFIX",
    "TEXT_COLUMNS",
    "Block",
    "Sample",
    "SamplesError",
    "SamplesFile",
    "SamplesReader",
    "read_samples",
    "write_samples",
]
