"""Pictures of reports as SVG: heat map, funnel, histogram, bars, activity and lanes.

Each is drawn from a dataclass of plain numbers and texts, knows no report and no framework, and is whole in itself: no
script, no style sheet, no address of anything else. It says in words what it shows, in `title` and `desc`; what a
colour says a pattern or a text says too, and all text is dark on white (infra/adr/0037-pictures-of-reports.md).
"""
