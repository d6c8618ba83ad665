"""How questions about the people of an account are said."""

from crmsdk.model.comparison import Op
from crmsdk.segments.accounts import AboutAccount, AccountAll, AccountCount, AccountSum
from crmsdk.segments.phrases import Phrase, Speaker

__all__ = ["account_told", "is_any"]

_ANY = {
    False: Phrase(
        en="of the account's people any ({what})", ru="среди людей организации есть хотя бы один ({what})"
    ),
    True: Phrase(
        en="of the account's other people any ({what})",
        ru="среди других людей организации есть хотя бы один ({what})",
    ),
}
_ALL = {
    False: Phrase(en="of the account's people all ({what})", ru="все люди организации ({what})"),
    True: Phrase(en="of the account's other people all ({what})", ru="все другие люди организации ({what})"),
}
_NUMBER = {
    False: Phrase(en="number of the account's people ({what})", ru="число людей организации ({what})"),
    True: Phrase(
        en="number of the account's other people ({what})", ru="число других людей организации ({what})"
    ),
}
_SUM = {
    False: Phrase(en="{what} of the account's people", ru="{what} людей организации"),
    True: Phrase(en="{what} of the account's other people", ru="{what} других людей организации"),
}


def is_any(node: AboutAccount) -> bool:
    """Say whether it is asked for one or more."""
    return isinstance(node, AccountCount) and (node.op, node.operand) == (Op.GE, 1)


def account_told(node: AboutAccount, what: str, speaker: Speaker) -> str:
    """Say a question; of a number or sum, what is compared.

    Args:
        node: The question.
        what: What is asked of each, or added up.
        speaker: Says it.
    """
    if isinstance(node, AccountAll):
        phrases = _ALL
    elif isinstance(node, AccountSum):
        phrases = _SUM
    else:
        phrases = _ANY if is_any(node) else _NUMBER
    return speaker.say(phrases[node.others], what=what)
