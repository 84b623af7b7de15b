"""English: what the engine listens for."""

import re

from dataforge.contexts.tutorials.drafts.extraction.english_grammar import english_instruction
from dataforge.contexts.tutorials.drafts.extraction.english_words import (
    ABBREVIATIONS,
    ACTIONS,
    BACKCHANNEL,
    FILLERS,
    GENERAL_ACTIONS,
    PRONOUNS,
    STOP_WORDS,
    SUFFIXES,
)
from dataforge.contexts.tutorials.drafts.extraction.languages import Language

_GOAL = r"(?P<what>[^.?!]{8,200})"
ENGLISH = Language(
    code="en",
    stop_words=STOP_WORDS,
    fillers=re.compile(
        rf"(?<!\S){FILLERS}[,.…-]*(?=\s|$)|,\s*(?:you know|i mean|like|sort of|kind of),", re.IGNORECASE
    ),
    backchannel=BACKCHANNEL,
    abbreviations=ABBREVIATIONS,
    starters=re.compile(
        r"(?<!right )(?<!until )(?<!by )(?<!if )(?<!when )(?<!what )(?<!that )(?<!do )(?<!where )(?<!how "
        r")(?<!so )(?<!and )(?<!now )(?<!then )(?<!because )(?<!everything )(?<!all )(?<!okay )(?<!but )"
        r"\b(?:so (?:now|next|then|first|let['’]s|you|we|the first|the next|go|if)|and then|then|now (?:we|you|"
        r"i|let['’]s|go|that|the|if|click|open)|next (?:we|you|up|step|i|go|thing)|first of all|after "
        r"that|okay|alright|"
        r"you (?:need|want|have|should|can|will|ll)\b(?: to)?|you['’]ll|make sure|please|go ahead|"
        r"let['’]s|let us|we['’]re going to|i['’]m going to|we (?:can|need|will|have|want) |the next "
        r"(?:thing|step)|once (?:you|that|we|it)|if you|when you|but (?:if|you|the|i|we)|finally|don['’]t "
        r"forget)\b",
        re.IGNORECASE,
    ),
    transitions=re.compile(
        r"^(?:(?:okay|ok|so|alright|all right|right|well|great|perfect|good|and|now|then|excellent|very "
        r"good|super)[,.!]*\s+)*(?:"
        r"let['’]s (?:now |quickly |also )?(?:move (?:on|to|over|forward)|turn to|talk|go on|get into|"
        r"switch (?:to|over|gears)|continue|"
        r"(?:start|begin)(?! by)|get (?:started|going|back|to)|come|jump|dive|go (?:back|through)|discuss|"
        r"tackle)\b|moving on\b|next up\b|"
        r"(?:next|now),? (?:we (?:come|turn|move)|i(?:['’]d like| want) to (?:talk|turn|move|show)|"
        r"we['’]ll (?:talk|look|turn|move)|"
        r"(?:for|about|onto) )|"
        r"(?:part|chapter|section|topic) (?:one|two|three|four|five|\d)\b|(?:that|this) brings (?:us|me) to\b|"
        r"(?:that['’]s |and )?(?:the |our |my )?(?:next|second|third|fourth|fifth|last|final) (?:part|"
        r"topic|section|chapter|item|question|"
        r"issue|problem|big)\b|(?:that['’]s )?the (?:second|third|fourth|last|final) thing that\b|"
        r"(?:there['’]s|there is|i have|i['’]ve got|i had) (?:another|a second|one (?:more|other|last)) |"
        r"(?:one (?:more|last|other|final)|another (?:quick |small |little )?) ?(?:thing|question|point|topic|issue)\b|"
        r"(?:just |quickly )*to (?:recap|summari[sz]e|sum (?:it |this |that |all )*up|wrap up|conclude)\b|in summary\b|"
        r"let me (?:now )?(?:summari[sz]e|recap|move on|turn to)\b|(?:we|i) (?:now )?(?:come|turn|move "
        r"on) to\b|speaking of\b|"
        r"(?:we|i)(?:['’]ll| will| want to| can)? (?:now )?(?:move on|turn to|come to|talk about)\b|"
        r"(?:can|could|may) i (?:just )?ask (?:you )?(?:another|one more|a|something)\b|while (?:i|"
        r"we)(?:['’]ve| have) (?:got )?you\b|"
        r"(?:that was|that['’]s|this was) (?:it|all|everything|the lot)(?: for| from|,? i think)\b|"
        r"we(?:['’]re| are) (?:almost|nearly) (?:done|there|finished|at the end)\b|with that (?:done|out "
        r"of the way|said|in place)\b|"
        r"is there anything else\b|before (?:we|i) (?:\w+)\b|before you (?:go|hang up|leave)\b|while "
        r"(?:we|you)['’]re (?:at it|waiting)\b|"
        r"(?:let me|i['’]ll|we['’]ll|i want to) (?:just )?(?:start|begin|finish) (?:with|off))|"
        r"^(?:(?:okay|right|good|super|great|well)[,.!]* )*so,? (?:that['’]s|that was) (?:it|all|everything|the lot)\b",
        re.IGNORECASE,
    ),
    openers=frozenset(
        {"so", "okay", "ok", "right", "good", "great", "alright", "lovely", "perfect", "excellent"}
        | {"well", "now", "brilliant", "anyway"}
    ),
    recap=re.compile(
        r"\b(?:to (?:recap|summari[sz]e|sum (?:it |this |that |all )?(?:all )?up)|in summary|quick recap|"
        r"just to recap|let me (?:recap|summari[sz]e)|let['’]s recap|to go over (?:it|that) again|what "
        r"(?:have )?we (?:did|done|learned)|so (?:just )?to repeat)\b",
        re.IGNORECASE,
    ),
    retractions=re.compile(
        r"\b(?:forget (?:that|it|what i|about (?:that|it|the|no))|my (?:mistake|bad|fault)|wrong (?:turn|"
        r"direction|way|track|menu|place|button|one)|that (?:was|is|['’]s|isn['’]t) (?:wrong|a mistake|"
        r"not right|the wrong|right at all)|never mind|scratch that|scrap that|strike that|(?:no|sorry|"
        r"wait),? (?:no|sorry|wait|but)?,? ?don['’]t|dead end|let me correct|i (?:was "
        r"wrong|misspoke|take that back))\b",
        re.IGNORECASE,
    ),
    corrections=re.compile(
        r"^(?:(?:okay|ok|so|right|alright|well|good)[, ]+)*(?:now|next|first)\b|\b(?:the (?:proper|right|"
        r"correct|better) (?:way|thing|place|one)|instead|(?:do it )?properly|"
        r"what we actually)\b",
        re.IGNORECASE,
    ),
    attempts=re.compile(
        r"\b(?:let['’]s (?:just )?try|try (?:that|this|something)|we (?:could|can) try|you (?:could|can) "
        r"(?:also )?try|one idea)\b",
        re.IGNORECASE,
    ),
    reasons=re.compile(r",?\s(?:because|otherwise|so that|since|or else)\s", re.IGNORECASE),
    continuations=re.compile(
        r"^(?:and )?(?:then )?(?:until|hold (?:it|them|that|both)|keep (?:it|holding|pressing)|wait until)\b",
        re.IGNORECASE,
    ),
    purposes=(
        re.compile(
            r"\b(?:show|teach|explain|demonstrate)(?: to)? (?:you|everyone) (?:today )?(?P<what>how (?:to|you "
            r"can|we) [^.?!]{6,200})",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:today|in (?:this|today['’]s) (?:video|lesson|lecture|session|tutorial|talk|module|unit|"
            r"class|recording|demo|training|webinar|workshop)),? (?:and )?(?:so )?(?:(?:we|i|you)\b(?:['’]re| "
            r"are|['’]m| am|['’]ll| will)? (?:going to |gonna |want to |would like to |be |learn |learning |"
            r"will )*(?:talk(?:ing)? about |look(?:ing)? at |learn(?:ing)? about |cover(?:ing)? |"
            rf"discuss(?:ing)? |walk(?:ing)? (?:you )?through |go(?:ing)? (?:through|over) )?){_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:we|i)(?:['’]re| are|['’]m| am)? ?(?:['’]ll| will)? ?(?:going to |gonna |want to )(?:talk "
            r"about |look at |learn about |learn |cover |discuss |walk (?:you )?through |go (?:through|over) "
            rf")?{_GOAL},? today\b",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:welcome(?: back)?(?: everyone| everybody| all)? to (?:the |this |our |today['’]s |another "
            r")?(?:(?:\w+ )?(?:video|lesson|lecture|session|tutorial|talk|module|class|demo|training|workshop|"
            rf"part) (?:on|about|of) )){_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:(?:today['’]s|the|our) (?:topic|subject|goal|aim)(?: (?:of|for) (?:today|this \w+|the "
            rf"\w+))? is(?: to)? ){_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\bi(?:['’]m| am) (?:calling|ringing|phoning|writing|getting in touch|contacting you) (?:you "
            rf")?(?:because|since|as|about|regarding|in regard to|to) (?:of )?{_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:i(?:['’]ve| have)(?: got)? (?:a |an |some )?(?:problem|issue|trouble|question|difficulty) "
            r"(?:with|about|regarding) |i(?:['’]m| am) having (?:(?:some|a) )?(?:trouble|problems?|issues?|"
            rf"difficulties) (?:with )?){_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(r"\bi (?P<what>(?:can['’]t|cannot) [^.?!,]{6,120})", re.IGNORECASE),
        re.compile(
            r"\b(?P<what>(?:my|our|the) [^.?!,]{3,60}? (?:won['’]t|doesn['’]t|isn['’]t|don['’]t|can['’]t|"
            r"stopped|keeps|is not|does not|has stopped)\b[^.?!,]{2,100})",
            re.IGNORECASE,
        ),
        re.compile(
            rf"\bi(?:['’]d like to| need to| want to| would like to| need help (?:with|to)|['’]m trying to) {_GOAL}",
            re.IGNORECASE,
        ),
    ),
    prerequisites=re.compile(
        r"\b(?:(?<!when )(?<!if )(?<!that )(?<!because )(?<!whether )(?<!where )(?<!as )(?:all |what "
        r")?you(?:['’]ll| will|['’]re going to)? (?:also |only |just |first |really )?need (?!to\b|me\b|"
        r"anything\b|help\b|it\b|that\b|not\b)(?:is |are )?|make sure (?:that )?you(?:['’]ve| have)(?: "
        r"got)? |you should (?:already |also )?(?:have|be familiar|know)\b|"
        r"have (?:your|the|a|an) [^.?!,]{2,60} (?:ready|at hand|to hand|handy|nearby)|^(?:\w+,? "
        r"){0,2}before (?:we|you) (?:start|begin|get started|do anything|go on|do any)|prerequisites?\b|"
        r"(?:this|it|that) requires\b|requirements? (?:is|are)\b|is required\b|it helps if you|"
        r"beforehand\b|i(?:['’]m going to|['’]ll| will)? assume (?:that )?you)",
        re.IGNORECASE,
    ),
    definitions=(
        re.compile(
            r"(?:^|[,;]\s|\b(?:so|and|now|because|well|okay)\s)(?:(?:the|an?|"
            r"your)\s+)?(?P<term>[^\W\d_][\w-]*(?:\s[\w-]+){0,2}?),?\s+(?:(?:is|are)\s+(?:just\s+|"
            r"basically\s+|essentially\s+|really\s+|simply\s+|actually\s+)*(?:an?(?!\s+(?:different|bit|lot|"
            r"problem|good|bad|nice|question|matter|great)\b)|the\s+(?:name|part|place|"
            r"process|amount|number|distance|difference|time|way|small|thing|component|technical|term|act)|"
            r"like\s+an?|short\s+for|what|where|how|when)\b|(?:basically |just |simply )?means\b|"
            r"stands\s+for\b|refers\s+to\b)",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?P<term>[A-Z][A-Z0-9-]{1,9}s?),?\s+(?:(?:or|that is|that's|that’s|meaning|which is|which "
            r"stands for|which means|in other words|i\.e\.)\b)"
        ),
        re.compile(
            r"\b(?:is|are|that['’]s|this is|it['’]s|what['’]s|what we|we|which we|they|what is)\s+(?:also\s+|"
            r"usually\s+|commonly\s+|often\s+|what (?:we|you|people) |just\s+)*(?:called|call(?: it| this| "
            r"that| them)?|known as|referred to as)\s+(?:an?\s+|"
            r"the\s+)?(?P<term>[\w-]+(?:\s[\w-]+){0,2}?)(?=[.,;!?]|$|\s(?:and|because|which|that|so|is|in|on|"
            r"for|but|when|where|if)\b)",
            re.IGNORECASE,
        ),
    ),
    pronouns=PRONOUNS,
    suffixes=SUFFIXES,
    nouns_are_capitalised=False,
    verbs=ACTIONS | GENERAL_ACTIONS,
    topics="Topics",
    conjunction="and",
    instruction=english_instruction,
)
