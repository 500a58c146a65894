"""How the page of drills looks, on a screen and on paper."""

from __future__ import annotations

STYLE = """
@page { size: A4; margin: 12mm }
* { box-sizing: border-box; margin: 0 }
:root { --line: #d9dde3; --quiet: #5b6470; --good: #1a7f4b; --bad: #b3261e }
body { font: 15px/1.45 system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  color: #14181f; background: #fff; -webkit-print-color-adjust: exact; print-color-adjust: exact }
main { max-width: 1080px; margin: 0 auto; padding: 28px 24px 48px }
.brand { font-size: 11px; letter-spacing: .14em; text-transform: uppercase; color: var(--quiet) }
h1 { font-size: 28px; line-height: 1.2; margin-bottom: 18px }
h2 { font-size: 16px; margin-bottom: 8px }
section { margin-bottom: 26px }
.small { font-size: 13px; color: var(--quiet) }
code { font: .9em ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; background: #f2f4f7; padding: 0 4px;
  border-radius: 3px; overflow-wrap: anywhere }
.verdict { display: grid; grid-template-columns: auto 1fr; gap: 20px; align-items: center; padding: 16px 20px;
  border: 1px solid var(--line); border-left: 8px solid var(--good); border-radius: 6px; break-inside: avoid }
.verdict.failed { border-left-color: var(--bad) }
.verdict h2 { font-size: 18px; margin: 0 0 2px }
.mark span { font-size: 17px; padding: 7px 16px }
span.passed, span.failed, span.skipped { display: inline-block; font-size: 12px; font-weight: 600; line-height: 1.3;
  padding: 2px 9px; border-radius: 99px; border: 1px solid; white-space: nowrap }
span.passed { color: var(--good); background: #e8f5ee }
span.failed { color: #fff; background: var(--bad); border-color: var(--bad) }
span.skipped { color: var(--quiet); background: #f2f4f7 }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px }
.tiles div { border: 1px solid var(--line); border-radius: 6px; padding: 12px 16px; break-inside: avoid }
.tiles .name { font-size: 13px; font-weight: 600; color: var(--quiet) }
.tiles .value { font-size: 26px; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: 14px }
th { text-align: left; font-size: 12px; color: var(--quiet); font-weight: 600; white-space: nowrap }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top }
tr { break-inside: avoid }
.checks td:nth-child(n+3), .checks th:nth-child(n+3), .past td:nth-child(n+4), .past th:nth-child(n+4) {
  text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.checks td b { white-space: nowrap }
.checks td:nth-child(4) b { color: var(--bad) }
.past td:first-child { max-width: 220px }
.past td:nth-child(2) { white-space: nowrap; font-variant-numeric: tabular-nums }
.plots { display: grid; grid-template-columns: 1fr 1fr; gap: 18px 24px }
.plots figure:first-child { grid-column: 1 / -1 }
figure { break-inside: avoid }
figcaption { font-size: 13px; font-weight: 600; margin-bottom: 2px }
figure svg { width: 100%; height: auto; display: block }
@media (max-width: 720px) { .tiles, .plots { grid-template-columns: 1fr 1fr } .plots figure { grid-column: 1 / -1 } }
"""
