"""Audit reports of a decision and of a deployment: one content, set as a page, as PDF and as JSON.

`of_decision` and `of_deployment` write the content as a `document.Report` of plain blocks; the page
(`templates/dashboards/report.html`), the PDF (`typesetting`) and the JSON (`Report.content`) only
set it. What one of them says, all of them say.
"""
