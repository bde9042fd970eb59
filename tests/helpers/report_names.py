"""Names that try to become something else when a page shows them."""

from __future__ import annotations

from helpers.reports import facts_of, recorded, result

RUN = "window.owned=(window.owned||0)+1"
HOSTILE = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script src=data:text/javascript,{RUN}></script>",
    f"<img src=x onerror={RUN}>",
    f"<img src=x onerror='{RUN}'>",
    f'"><img src=x onerror="{RUN}">',
    f"'><img src=x onerror='{RUN}'>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<body onload={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<iframe src='javascript:parent.{RUN}'>",
    f"<a href='javascript:{RUN}'>click</a>",
    f'<a href="javascript:{RUN}" target="_self">link</a>',
    f"<a href='data:text/html,<script>{RUN}</script>'>link</a>",
    f"<a href=https://example.org onclick={RUN}>link</a>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}>",
    f"<video src=x onerror={RUN}>",
    f"<audio src=x onerror={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<button autofocus onfocus={RUN}>x</button>",
    f"<marquee onstart={RUN}>",
    f"<object data='javascript:{RUN}'>",
    f"<embed src='javascript:{RUN}'>",
    f"<form action='javascript:{RUN}'><input type=submit>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<base href=https://example.org/>",
    "<link rel=stylesheet href=https://example.org/x.css>",
    f"<style>@import 'javascript:{RUN}';</style>",
    "</style><style>*{display:none}</style>",
    f"<div style='background:url(javascript:{RUN})'>",
    f"--><script>{RUN}</script><!--",
    f"<!--<script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</noscript><script>{RUN}</script>",
    "{{ self.__init__.__globals__ }}",
    "{{ 7 * 7 }}{% for x in range(9) %}x{% endfor %}",
    f"${{{RUN}}}",
    f"`${{{RUN}}}`",
    f"';{RUN};//",
    f'";{RUN};//',
    f"\\';{RUN};//",
    f"\u2028{RUN}\u2029",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"javascript:{RUN}",
    f"java\tscript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "%{customdata}<b onclick=x>%{x}</b>",
    "$\\unicode{<img src=x onerror=" + RUN + ">}$",
    "\0<script>\x07\x1b[31m",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "<" * 300 + f"script>{RUN}",
)


def hostile_run(*, calm=False):
    """A run in which every class, file, setting, stage and fault has one of these names."""
    names = dict(enumerate("calm" if calm else name for name in HOSTILE))
    frames = []
    for index in range(12):
        frame = result(index, {k + 1: (5 * k, 0, 5 * k + 4, 20) for k in range(len(HOSTILE))})
        frame.tracks.class_id[:] = range(len(HOSTILE))
        frames.append(frame)
    named = [("calm" + str(n) if calm else name) for n, name in enumerate(HOSTILE)]
    facts = facts_of(
        frames=12,
        config={**{f"flag{n}": name for n, name in enumerate(named)},
                **{name: n for n, name in enumerate(named)}, "output": named[0]},
        faults=dict.fromkeys(named, 1),
        versions={name: name for name in named},
        detector=named[1], embedder=named[2], device={"name": named[3]},
        stages={name: {"mean_ms": 1.0, "p95_ms": 2.0, "share": 0.1} for name in named},
        source={"name": named[4], "fps": 25.0},
    )  # fmt: skip
    run = recorded(frames, facts, names)
    run.name = " ".join(named)
    return run
