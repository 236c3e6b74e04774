"""The look of a report's page."""

from __future__ import annotations

from typing import Final

CSS: Final = """
:root {
  --paper: #fbfbf9; --card: #ffffff; --ink: #1d2330; --faint: #667085; --rule: #dfe3ea;
  --blue: #2f5fd0; --good: #137a48; --bad: #bb2330; --warn: #96600a;
  --good-bg: #e5f4ec; --bad-bg: #fbe7e8; --warn-bg: #fbf1dd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171d; --card: #1b1f27; --ink: #e4e8ef; --faint: #98a2b3; --rule: #313844;
    --blue: #7ea4ff; --good: #57c98f; --bad: #ff8088; --warn: #e5b255;
    --good-bg: #16302a; --bad-bg: #3a2024; --warn-bg: #352b18;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 36px 24px 80px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 0 0 14px; }
header p { color: var(--faint); margin: 0 0 14px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; }
a { color: var(--blue); text-decoration: none; }
a:hover { text-decoration: underline; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 20px 22px; margin-top: 18px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px; }
.tile { border: 1px solid var(--rule); border-left: 4px solid var(--faint); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-weight: 600; color: var(--faint); font-size: 13px; text-transform: capitalize; }
.tile strong { display: block; font-size: 21px; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile small { color: var(--faint); }
.tile.good { border-left-color: var(--good); } .tile.bad { border-left-color: var(--bad); }
.tile.warn { border-left-color: var(--warn); } .tile.muted strong { color: var(--faint); }
dl { display: grid; grid-template-columns: minmax(180px, max-content) 1fr; gap: 5px 22px; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
caption { text-align: left; color: var(--faint); padding-bottom: 6px; }
th { text-align: left; font-weight: 600; color: var(--faint); border-bottom: 2px solid var(--rule);
  padding: 4px 12px 6px 0; vertical-align: bottom; }
td { border-bottom: 1px solid var(--rule); padding: 6px 12px 6px 0; vertical-align: top; overflow-wrap: break-word; }
tr:last-child td { border-bottom: 0; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
p { margin: 0; }
.muted { color: var(--faint); }
span.good, span.bad, span.warn { padding: 0 7px; border-radius: 6px; }
.good { color: var(--good); } span.good { background: var(--good-bg); }
.bad { color: var(--bad); } span.bad { background: var(--bad-bg); }
.warn { color: var(--warn); } span.warn { background: var(--warn-bg); }
figure { margin: 0; }
section > :not(h2) + * { margin-top: 18px; }
figcaption { color: var(--faint); font-size: 13.5px; margin-bottom: 6px; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--faint); font-size: 11px; } svg .end { text-anchor: end; }
.rule { stroke: var(--rule); } .goal { stroke: var(--bad); stroke-dasharray: 5 4; }
.area { fill: var(--blue); fill-opacity: .3; stroke: var(--blue); }
.area.good { fill: var(--good); stroke: var(--good); } .area.bad { fill: var(--bad); stroke: var(--bad); }
.area.warn { fill: var(--warn); stroke: var(--warn); }
.line { fill: none; stroke: var(--blue); stroke-width: 1.8; } circle { fill: var(--blue); }
.curve { display: inline-block; width: min(100%, 474px); margin: 0 10px 10px 0; vertical-align: top; }
.curve + .curve { margin-top: 0; }
svg .mid { text-anchor: middle; }
.guide { fill: none; stroke: var(--faint); stroke-dasharray: 4 4; }
.line.s1 { stroke: var(--warn); } circle.s1 { fill: var(--warn); }
.heat { width: auto; } .heat caption { white-space: nowrap; }
.heat td { text-align: right; padding: 6px 10px; font-variant-numeric: tabular-nums; }
.heat th { padding: 6px 10px 6px 0; } .heat thead th { text-align: right; padding: 6px 10px; }
.heat thead th:first-child { text-align: left; padding-left: 0; }
.heat tbody th { border-bottom: 1px solid var(--rule); }
.heat .hit { background: color-mix(in srgb, var(--good) calc(var(--heat) * 55%), transparent); }
.heat .miss { background: color-mix(in srgb, var(--bad) calc(var(--heat) * 80%), transparent); }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: 6px 14px; align-items: center;
  font-size: 13.5px; font-variant-numeric: tabular-nums; }
.track { height: 12px; background: var(--rule); border-radius: 6px; overflow: hidden; }
.track .fill { display: block; height: 100%; padding: 0; border-radius: 6px; background: var(--blue); }
.track .good { background: var(--good); } .track .bad { background: var(--bad); }
.track .warn { background: var(--warn); } .track .muted { background: var(--faint); }
@media (max-width: 640px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } }
@media print {
  body { background: none; } nav { display: none; }
  section { break-inside: avoid-page; border-color: #ccc; }
}
"""
"""Colours by variables, so that dark is the same page with other ink."""
