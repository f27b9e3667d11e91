"""English function words, which tell little about what a text is about."""

from __future__ import annotations

from typing import Final

from vstash.text.normalise import tokens

__all__ = ["FUNCTION_WORDS"]

# Left out though they are function words, since their stems are also words with a meaning: us (US),
# mine (mining), several (severe), near, own, per, round.
_WORDS: Final = """
a an the this that these those such same other another each every either neither both all any some
no none few many much more most
i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her
hers herself it its itself they them their theirs themselves one someone anyone everyone something
anything everything nothing nobody
am is are was were be been being have has had having do does did doing done will would shall should
can could may might must
isn't aren't wasn't weren't haven't hasn't hadn't don't doesn't didn't won't wouldn't shouldn't
couldn't i'm you're i've i'll he'd it's
of in on at by for with about against between among into onto through during before after above
below over under to from up down off out around across along behind beside beyond within without
toward upon via since until
and or but nor so yet if then else because as than while although though unless whereas whether
what which who whom whose when where why how whatever whichever whoever whenever wherever however
not only just also too very there here again
"""

FUNCTION_WORDS: Final[frozenset[str]] = frozenset(tokens(_WORDS))
"""Articles, pronouns, auxiliaries, prepositions, conjunctions and question words, as `tokens` gives
them; a contraction stands as its pieces, such as ``isn`` and ``t``."""
