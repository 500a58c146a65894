"""How the printed sheets look: black on white, one page of A4 or Letter."""

from __future__ import annotations

STYLE = """
@page { size: A4; margin: 9mm 14mm }
* { box-sizing: border-box; margin: 0 }
body { font: 9.5pt/1.35 system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  color: #000; background: #fff }
main { max-width: 182mm; margin: 0 auto; padding: 0 }
@media screen { main { padding: 10mm 6mm } }
[lang=zh] { font-size: .94em; color: #333 }
span[lang=zh] { display: block; font-weight: 400 }
code, pre, .words { font-family: ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace }
header { border-bottom: 2pt solid #000; padding-bottom: 2mm; position: relative }
.brand { font-size: 8pt; letter-spacing: .14em; text-transform: uppercase }
h1 { font-size: 18pt; line-height: 1.15; font-weight: 700 }
header [lang=zh] { font-size: 11pt; color: #000 }
h2 { font-size: 8.5pt; margin-bottom: 1.5mm; display: flex; gap: 2mm; align-items: baseline }
h2 span[lang=zh], th span[lang=zh] { display: inline }
th span[lang=zh] { margin-left: 1.5mm; white-space: nowrap }
aside { margin: 2.5mm 0; padding: 1.2mm 3mm; border: 1pt solid #000 }
aside.secret { border-left: 6pt solid #b00020; print-color-adjust: exact; -webkit-print-color-adjust: exact }
aside.public { border-left: 6pt solid #1b5e20; print-color-adjust: exact; -webkit-print-color-adjust: exact }
aside p:first-child { font-weight: 600 }
section { margin-top: 3mm; break-inside: avoid }
.beside { display: grid; grid-template-columns: 1fr 40mm; gap: 7mm; align-items: start }
.words { columns: 3; column-gap: 12mm; padding-left: 10mm; font-size: 12pt; line-height: 1.7 }
.words li { break-inside: avoid; padding-left: 1mm; border-bottom: .4pt solid #bbb }
.words li::marker { font-size: 8pt; color: #444 }
figure svg { width: 100%; display: block; border: .4pt solid #bbb }
figure + figure { margin-top: 3mm }
figcaption { font-size: 8pt; text-align: center; margin-top: .6mm; line-height: 1.25 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .8mm 2mm .8mm 0; border-bottom: .4pt solid #bbb }
th { width: 44mm; font-weight: 600; font-size: 8.5pt }
td code { font-size: 9pt; overflow-wrap: anywhere }
.how { border-top: 1pt solid #000; padding-top: 2mm; font-size: 8.5pt }
.how ol, .how ul { padding-left: 5mm }
.how li { margin-bottom: 1mm; break-inside: avoid }
.how p { display: grid; grid-template-columns: 1fr 1fr; gap: 6mm }
pre { margin: .6mm 0; padding: .7mm 2mm; border: .4pt solid #bbb; background: #f6f6f6; font-size: 8.5pt;
  white-space: pre-wrap; overflow-wrap: anywhere }
"""
