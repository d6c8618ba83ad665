"""The style and the script of the page."""

from crmsdk.reports.svg import FONT

__all__ = ["SCRIPT", "STYLE"]

STYLE = f"""
*{{box-sizing:border-box}}
html{{background:var(--page);color:var(--ink);font:15px/1.5 {FONT};\
-webkit-text-size-adjust:100%}}
body{{max-width:960px;margin:0 auto;padding:40px 24px 64px}}
h1{{font-size:30px;line-height:1.2;letter-spacing:-.02em;margin:0;overflow-wrap:anywhere}}
header p{{color:var(--soft);margin:6px 0 0}}
nav{{display:flex;flex-wrap:wrap;gap:4px 20px;margin:20px 0 0;padding:12px 0;\
border-block:1px solid var(--line)}}
a{{color:var(--c1);text-decoration:none}}
a:hover{{text-decoration:underline}}
section{{margin-top:40px}}
h2{{font-size:20px;line-height:1.3;letter-spacing:-.01em;margin:0 0 14px;overflow-wrap:anywhere}}
section>p{{max-width:72ch;margin:0 0 14px}}
.cards{{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0 0 16px}}
.cards div,figure,.scroll:has(table),.timeline{{background:var(--paper);border:1px solid var(--line);\
border-radius:10px}}
.cards div{{padding:12px 16px;min-width:0}}
dt{{color:var(--soft);font-size:13px}}
dd{{margin:0;overflow-wrap:anywhere}}
.cards dd{{font-size:24px;font-weight:600;line-height:1.25;letter-spacing:-.01em;\
font-variant-numeric:tabular-nums}}
figure{{margin:0 0 16px;overflow:hidden}}
.scroll{{overflow-x:auto}}
figure svg{{display:block;margin:0 auto}}
@media screen{{svg[role=img]{{width:100%;min-width:600px}}svg[role=group]{{max-width:none!important}}}}
figcaption{{color:var(--soft);font-size:13px;padding:0 16px 14px;max-width:80ch}}
aside{{border-top:1px solid var(--line);padding:12px 16px;font-size:14px}}
aside p{{color:var(--soft);margin:0}}
aside dl{{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:8px 20px;margin:0}}
figure .step{{cursor:default}}
[data-facts] .step{{cursor:pointer}}
.scroll:has(table){{margin:0 0 16px}}
table{{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}}
caption{{text-align:left;font-weight:600;padding:12px 16px 6px}}
th,td{{text-align:left;vertical-align:top;padding:8px 16px;border-top:1px solid var(--line)}}
th{{color:var(--soft);font-size:13px;font-weight:500}}
thead tr:first-child th{{border-top:0}}
.number{{text-align:right;white-space:nowrap}}
.timeline{{list-style:none;margin:0 0 16px;padding:16px}}
.timeline li{{display:grid;grid-template-columns:150px 1fr;gap:0 28px;position:relative;\
padding-bottom:14px}}
.timeline li:last-child{{padding-bottom:0}}
.timeline time{{color:var(--soft);font-size:13px;line-height:22px;text-align:right;\
font-variant-numeric:tabular-nums}}
.timeline li::before{{content:"";position:absolute;left:158px;top:6px;width:11px;height:11px;\
border-radius:50%;background:var(--edge);box-shadow:0 0 0 3px var(--paper);z-index:1}}
.timeline li:not(:last-child)::after{{content:"";position:absolute;left:163px;top:12px;bottom:-6px;width:1px;\
background:var(--line)}}
.timeline .good::before{{background:var(--c3)}}
.timeline .held::before{{background:var(--c2);border-radius:2px}}
.timeline .bad::before{{background:var(--c6);border-radius:2px;transform:rotate(45deg)}}
.timeline b{{font-weight:600;line-height:22px;display:block;overflow-wrap:anywhere}}
.timeline p{{margin:0;color:var(--soft);font-size:14px;overflow-wrap:anywhere}}
@media(max-width:640px){{body{{padding:24px 14px 40px}}.timeline li{{grid-template-columns:96px 1fr}}\
.timeline li::before{{left:104px}}.timeline li:not(:last-child)::after{{left:109px}}}}
@media print{{html{{background:none;font-size:11pt}}body{{max-width:none;padding:0}}nav,aside{{display:none}}\
section{{margin-top:24px}}figure,.cards div,.timeline li,tr{{break-inside:avoid}}h2{{break-after:avoid}}\
thead{{display:table-header-group}}caption{{break-after:avoid}}\
svg{{max-height:9in}}.tall svg{{max-height:none}}figure.tall{{break-inside:auto}}.scroll{{overflow:visible}}}}
"""

# Fifteen lines at most: whatever needs more belongs into Python.
SCRIPT = """
const facts = JSON.parse(document.getElementById("facts").textContent);
const show = step => {
  const figure = step.closest("[data-facts]"), own = facts[figure.dataset.facts][step.dataset.step];
  if (!own) return;
  figure.querySelectorAll(".chosen").forEach(old => old.classList.remove("chosen"));
  step.classList.add("chosen");
  const tag = (name, text = "") => Object.assign(document.createElement(name), {textContent: text});
  const list = tag("dl");
  own.forEach(([name, value]) => list.appendChild(tag("div")).append(tag("dt", name), tag("dd", value)));
  figure.querySelector("aside").replaceChildren(list);
};
document.querySelectorAll("[data-facts] .step").forEach(step => Object.assign(step, {
  tabIndex: 0, onclick: () => show(step), onkeydown: key => key.key === "Enter" && show(step)}));
"""
