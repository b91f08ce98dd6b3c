"""Charts: Vega-Lite specifications from data, as SVG and PNG from a process of its own."""
