"""Twenty graphs with the habits of journeys, to compare layouts on."""

# Each arrow is source>target:label. Branches join again, waits have two exits, splits have arms, some
# runs loop back. The larger ones are put together by `chain_of_blocks`.
HAND_DRAWN = {
    "welcome": """
        enter>mail enter>exit:holdout mail>wait wait>check check>nudge:silent check>exit:bought
        nudge>exit
    """,
    "cart": """
        enter>w2h w2h>exit:bought w2h>mail:timeout mail>w1d w1d>has w1d>exit:bought has>tg:yes
        has>sms:no tg>exit sms>exit
    """,
    "split": """
        enter>split split>a:45% split>b:45% split>hold:10% a>wa b>wb wa>ma:opened wa>mb:silent
        wb>ma:opened wb>mb:silent ma>exit mb>exit hold>exit
    """,
    "ladder": """
        a>b:yes a>c:no b>d c>d d>e:yes d>f:no e>g f>g g>h:yes g>i:no h>j i>j
    """,
    "loop": """
        enter>mail mail>wait wait>task:3 times wait>mail:again wait>exit:bought task>exit
    """,
    "webinar": """
        enter>conf conf>w24 w24>rem w24>out:left rem>w1 w1>sms:has phone w1>push:has app
        w1>live:none sms>live push>live live>came:came live>missed:missed came>offer missed>replay
        replay>offer:watched replay>out:silent offer>out
    """,
    "shared-exits": """
        e>a a>b:yes a>x:no b>c:yes b>x:no c>d:yes c>x:no d>y e>y:control
    """,
    "crossed": """
        e>s s>a s>b s>c a>p:open a>q:no b>p:open b>q:no c>p:open c>q:no p>x q>x
    """,
    "two-doors": """
        cart>wait form>wait form>call wait>mail:timeout wait>exit:bought call>exit mail>call:vip
        mail>exit
    """,
    "winback": """
        seg>hold hold>exit:10% hold>m1:90% m1>w30 w30>back:bought w30>m2:silent m2>w60
        w60>back:bought w60>m3:silent m3>w90 w90>back:bought w90>gone:silent back>exit gone>exit
    """,
    "k33": """
        r>a r>b r>c a>x:1 a>y:2 a>z:3 b>x:1 b>y:2 b>z:3 c>x:1 c>y:2 c>z:3 x>t y>t z>t
    """,
    "channels": """
        e>pick pick>mail:email pick>sms:sms pick>push:push pick>tg:telegram mail>w sms>w push>w tg>w
        w>thanks:bought w>again:silent again>exit thanks>exit
    """,
    "b2b": """
        lead>score score>sales:hot score>nurture:warm score>exit:cold nurture>m1 m1>w7 w7>score2
        score2>sales:hot score2>m2:warm m2>w14 w14>sales:asked w14>exit:silent sales>task task>exit
    """,
    "map": """
        ev1>j1 ev2>j1 ev2>j2 seg>j2 seg>j3 date>j3 date>j4 api>j4 j1>email j1>sms j2>email j2>push
        j3>email j3>tg j4>sms j4>push j4>task
    """,
}


def read(text: str) -> list[tuple[str, str, str]]:
    """Read arrows written as in the table above."""
    arrows: list[tuple[str, str, str]] = []
    for word in text.split():
        if ">" in word:
            source, rest = word.split(">")
            target, _, label = rest.partition(":")
            arrows.append((source, target, label))
        else:
            source, target, label = arrows.pop()
            arrows.append((source, target, f"{label} {word}"))
    return arrows


def chain_of_blocks(blocks: str) -> list[tuple[str, str, str]]:
    """Join blocks into a long journey: s step, d diamond, t triple split, w wait with an exit, x crossed."""
    arrows: list[tuple[str, str, str]] = []
    last = "n0"
    for number, block in enumerate(blocks, 1):
        here, names = f"n{number}", [f"n{number}{letter}" for letter in "abcd"]
        a, b, c, d = names
        match block:
            case "s":
                arrows += [(last, here, "")]
            case "d":
                arrows += [(last, a, "yes"), (last, b, "no"), (a, here, ""), (b, here, "")]
            case "t":
                arrows += [(last, arm, "1/3") for arm in (a, b, c)] + [(arm, here, "") for arm in (a, b, c)]
            case "w":
                arrows += [(last, a, ""), (a, here, "timeout"), (a, "exit", "bought")]
            case _:
                arrows += [(last, a, "yes"), (last, b, "no"), (a, c, "opened"), (a, d, "silent")]
                arrows += [(b, c, "opened"), (b, d, "silent"), (c, here, ""), (d, here, "")]
        last = here
    return [*arrows, (last, "exit", "")]


CORPUS = {name: read(text) for name, text in HAND_DRAWN.items()} | {
    "chain-10": chain_of_blocks("swds"),
    "chain-20": chain_of_blocks("swdtwds"),
    "chain-30": chain_of_blocks("swxdwtsxs"),
    "chain-40": chain_of_blocks("dwxtwdxswtd"),
    "chain-50": chain_of_blocks("sdwxtwdxswtdwxs"),
    "chain-60": chain_of_blocks("sdwxtwdxswtdwxsdtws"),
}
