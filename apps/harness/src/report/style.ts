/** Colours keep a contrast of 4.5 to their ground in both schemes; statuses are told by words and marks too. */
export const pageStyle = `
:root{color-scheme:light dark;--ground:#fff;--card:#f6f8fa;--line:#d0d7de;--text:#1f2328;--dim:#57606a;
--passed:#1a7f37;--failed:#b42318;--skipped:#8a5a00;--time:#0969da}
@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--card:#161b22;--line:#30363d;--text:#e6edf3;--dim:#9da7b3;
--passed:#3fb950;--failed:#ff7b72;--skipped:#d29922;--time:#58a6ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--ground);color:var(--text);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{margin:0;font-size:1.6rem;line-height:1.25}h1 small{color:var(--dim);font-weight:400}
h2{margin:2rem 0 .5rem;font-size:1.1rem;text-transform:capitalize}
header p{color:var(--dim);margin:.25rem 0 1rem}a{color:var(--time)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:1rem}
figure{margin:0;padding:1rem;background:var(--card);border:1px solid var(--line);border-radius:8px}
figcaption{font-weight:600;margin-bottom:.5rem}
.ring{display:block;width:min(100%,11rem);margin:0 auto}
.ring circle{fill:none;stroke-width:5}
.ring .passed{stroke:var(--passed)}.ring .failed{stroke:var(--failed)}.ring .skipped{stroke:var(--skipped)}
.ring text{font:600 8px system-ui,sans-serif;text-anchor:middle;fill:var(--text)}
.ring .of{font:400 3.5px system-ui,sans-serif;fill:var(--dim)}
.legend{display:flex;flex-wrap:wrap;justify-content:center;gap:.25rem 1rem;list-style:none;margin:.75rem 0 0;padding:0}
.swatch{display:inline-block;width:.75rem;height:.75rem;border-radius:2px;margin-right:.4rem}
.swatch.passed,.bar .passed{background:var(--passed)}.swatch.failed,.bar .failed{background:var(--failed)}
.swatch.skipped,.bar .skipped{background:var(--skipped)}.bar .time{background:var(--time)}
.bars{margin:0;font-size:.875rem}.bars>div{margin-bottom:.4rem}.bars dd{margin:0;display:grid;
grid-template-columns:minmax(0,1fr) 8.5rem;align-items:center;gap:.5rem}
.bar{display:flex;gap:1px;height:.6rem}.bar span{border-radius:2px;min-width:2px}.value{color:var(--dim);text-align:right}
table{width:100%;border-collapse:collapse}
th,td{padding:.5rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:600;font-size:.875rem}
.number{text-align:right;white-space:nowrap;color:var(--dim)}
.result{white-space:nowrap;width:7rem;font-weight:600}
.result.passed{color:var(--passed)}.result.failed{color:var(--failed)}.result.skipped{color:var(--skipped)}
code{color:var(--dim);font-size:.8125rem}.reason{margin:.25rem 0 0;color:var(--dim)}
.attention{border-left:4px solid var(--failed);padding:.25rem 1rem;margin-top:1rem;background:var(--card)}
.attention h2{margin:.5rem 0}
@media(max-width:36rem){thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
table,tbody,tr,td{display:block}tr{border-bottom:1px solid var(--line);padding:.5rem 0}
td{border:0;padding:.1rem 0}.result{width:auto}.number{text-align:left}}
`
