"""German: what the engine listens for."""

import re

from dataforge.contexts.tutorials.drafts.extraction.german_grammar import german_instruction
from dataforge.contexts.tutorials.drafts.extraction.german_words import (
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

_GOAL = r"(?:etwas [^,.]{3,40}, (?:nämlich|und zwar) (?:um )?(?:die frage,? )?)?(?P<what>[^.?!]{8,200})"
GERMAN = Language(
    code="de",
    stop_words=STOP_WORDS,
    fillers=re.compile(
        rf"(?<!\S){FILLERS}[,.…-]*(?=\s|$)|,\s*(?:sozusagen|sag ich mal|quasi|ich sag mal),", re.IGNORECASE
    ),
    backchannel=BACKCHANNEL,
    abbreviations=ABBREVIATIONS,
    starters=re.compile(
        r"(?<!wenn )(?<!dass )(?<!weil )(?<!was )(?<!und )(?<!so )(?<!also )(?<!jetzt )(?<!dann )(?<!okay )"
        r"\b(?:und dann|dann|danach|anschließend|als nächstes|zuerst|zunächst|jetzt|nun (?:klicken|öffnen|"
        r"gehen|geben|können|müssen)|also|okay|gut|"
        r"sie (?:müssen|sollten|können)|wir (?:müssen|können|wollen|werden)|\w{3,}en sie (?:bitte|jetzt|"
        r"dann|auf|in|den|die|das|mal|nun)|wenn sie|bitte|achten sie|so,? (?:jetzt|dann)|wichtig ist|zum "
        r"schluss)\b",
        re.IGNORECASE,
    ),
    transitions=re.compile(
        r"^(?:(?:okay|ok|so|gut|also|ja|super|prima|schön|sehr gut|alles klar|und|dann|jetzt|nun|perfekt|"
        r"genau|wunderbar)[,.!]*\s+)*"
        r"(?:kommen wir|(?:jetzt |dann |nun )?(?:kommen|gehen|machen|schauen|fangen|sprechen|wenden|"
        r"beginnen|starten|steigen) wir\b[^.]{0,40}?(?:weiter|zu[mr]?\b|über|an\b|mit\b|uns\b|ein\b|noch)|"
        r"weiter geht|weiter mit|"
        r"(?:als nächstes|nun|jetzt) (?:kommen|geht|möchte|wollen|will|schauen|zeige|sehen|sprechen|"
        r"besprechen|behandeln|widmen)\b|(?:der|das|die|unser|mein) (?:nächste|zweite|dritte|vierte|"
        r"letzte|andere)[rsn]? (?:punkt|thema|teil|abschnitt|frage|kapitel|schritt|problem|themenblock)|"
        r"(?:dann |jetzt |nun )?(?:fehlt|fehlen|bleibt|bleiben) (?:uns )?(?:jetzt |nun )?noch|(?:jetzt|"
        r"nun|dann) noch (?:etwas|eine|ein|was|zu|zum|zur|das|die|der)\b|(?:wir sind|das war|damit sind "
        r"wir) (?:fast |beinahe |auch schon |schon )*(?:am ende|fertig|durch|alles|es)|was haben wir "
        r"(?:heute )?(?:gemacht|gelernt|gesehen)|(?:teil|punkt|kapitel|abschnitt|thema) (?:eins|zwei|drei|"
        r"vier|fünf|\d)\b|(?:also,? )?zu[mr] \w+(?: \w+)?\.|damit (?:kommen|sind|wären|haben) wir|das "
        r"bringt (?:uns|mich)|(?:sagen sie,? )?(?:ich habe|ich hätte|da ist|es gibt|da wäre|ich hab) "
        r"(?:da )?noch (?:eine|ein|was|etwas)|noch (?:eine?|was|etwas) (?:\w+ )?(?:frage|punkt|thema|"
        r"sache|anderes|wichtiges)|"
        r"(?:zusammenfassend|zum abschluss|zum schluss|abschließend|fassen wir|ich fasse|noch mal "
        r"zusammengefasst|zusammengefasst)|eine (?:letzte|andere|weitere) (?:frage|sache)|"
        r"(?:ich|wir) (?:möchte|möchten|will|wollen|würde|würden) (?:jetzt |nun |noch |gerne |dann |als "
        r"nächstes )*(?:auf|über|zu|mit|zum|zur)\b|kann ich sonst noch|haben sie (?:sonst )?noch|gibt es "
        r"(?:sonst )?noch|bevor wir (?:aufhören|schließen|weitermachen|auflegen|zum)|apropos|das war(?:'s|"
        r" es)? (?:zu|zum|mit)|soweit (?:zu|zum)|so viel zu)",
        re.IGNORECASE,
    ),
    weak_transitions=re.compile(
        r"^(?:super|prima|sehr gut|wunderbar|perfekt|hervorragend|klasse|sehr schön|na also)[.!]+$|"
        r"^(?:(?:okay|ok|so|gut|also|ja|super|prima|schön|sehr gut|alles klar|perfekt|genau|"
        r"wunderbar)[,.!]+\s+)+(?:jetzt|dann|nun|als|zuerst|wir|der)\b|^(?:jetzt|nun|als nächstes|zuerst|"
        r"zunächst|erstens|zweitens|drittens|schließlich)\b",
        re.IGNORECASE,
    ),
    recap=re.compile(
        r"\b(?:zusammenfassend|zusammengefasst|fassen wir (?:kurz |noch einmal |nochmal )?zusammen|ich "
        r"fasse (?:\w+ )*zusammen|zur wiederholung|wiederholen wir|was haben wir (?:heute )?gelernt|kurze "
        r"zusammenfassung)\b",
        re.IGNORECASE,
    ),
    retractions=re.compile(
        r"\b(?:(?:vergessen (?:sie|wir)|vergiss|vergesst) (?:das|es)(?=\W*$|[,.!?]| wieder| ganz| gleich)|"
        r"mein fehler|war (?:ein )?(?:fehler|irrtum|quatsch|unsinn|falsch)\b|war nichts\b|halt,? stopp?|"
        r"falscher (?:weg|knopf)|falsche (?:richtung|spur|fährte)|holzweg|sackgasse|streichen (?:sie|wir) "
        r"das|nehmen wir zurück|da habe? ich mich (?:geirrt|vertan))",
        re.IGNORECASE,
    ),
    corrections=re.compile(
        r"^(?:(?:okay|ok|also|so|gut)[, ]+)*(?:jetzt|nun|als nächstes|zuerst)\b|\b(?:richtig (?:ist|geht|"
        r"wäre)|noch (?:ein)?mal richtig|stattdessen|sondern|der richtige weg|besser ist)\b",
        re.IGNORECASE,
    ),
    attempts=re.compile(
        r"\b(?:probieren|versuchen|testen) wir\b|\bprobieren sie\b|\bversuchen sie\b|\bman könnte\b", re.IGNORECASE
    ),
    reasons=re.compile(r",?\s(?:weil|denn|damit|sonst|sodass|da sonst|ansonsten)\s", re.IGNORECASE),
    continuations=re.compile(
        r"^(?:und )?(?:dann )?(?:bis|halten sie (?:ihn|sie|es|das|die|den)|warten sie(?:,)? bis)\b", re.IGNORECASE
    ),
    purposes=(
        re.compile(
            r"\b(?:(?:zeige|erkläre|zeigen|erklären) (?:ich|wir)|(?:ich|wir) (?:zeigen?|erklären?)) (?:ihnen|"
            r"euch|dir)(?: heute)?,? (?P<what>wie "
            r"[^.?!]{8,200})",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:heute|in diese[mr] (?:video|lektion|vorlesung|kurs|tutorial|einheit|schulung|stunde|folge|"
            r"sitzung|übung)) (?:geht es um|sprechen wir über|reden wir über|beschäftigen wir uns mit|lernen "
            r"(?:wir|sie|ihr)|behandeln wir|schauen wir uns|sehen wir uns|besprechen wir|wollen wir(?: "
            r"uns)?(?: über| mit)?|werden wir(?: uns)?|möchte ich (?:ihnen|euch|mit ihnen)?|zeige ich "
            rf"(?:ihnen|euch)|soll es um) ?(?:heute )?{_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:es geht heute um|wir sprechen heute über|wir (?:wollen|werden|möchten) (?:uns )?heute|ich "
            r"(?:möchte|will|werde) (?:ihnen |euch )?heute|unser thema (?:heute )?ist|das thema (?:heute |der "
            r"heutigen \w+ )?ist|(?:herzlich )?willkommen (?:zurück )?(?:zu[mr]?|bei) (?:\w+ )?(?:video|"
            r"lektion|vorlesung|kurs|tutorial|schulung|übung|einführung)?(?: zum thema| über| zu[mr]?)?) "
            rf"{_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:ich (?:rufe an|rufe sie an|melde mich),? (?:weil|wegen|da|es geht um) |es geht um |ich "
            r"habe? (?:da )?(?:ein|das|folgendes|ein kleines|eine) (?:problem|frage|schwierigkeit)(?: mit| zu|"
            rf" bei)?|ich hätte (?:eine|mal eine) frage (?:zu|wegen)[mr]? ){_GOAL}",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?P<what>(?:mein|meine|unser|unsere|der|die|das) [^.?!,]{3,60}? (?:funktioniert|geht|"
            r"startet|druckt|lädt|reagiert|verbindet|lässt sich|zeigt)\b[^.?!,]{2,80}\b(?:nicht|kein|keine|"
            r"nichts|nur|fehler\w*)\b[^.?!,]{0,60})",
            re.IGNORECASE,
        ),
        re.compile(rf"\bich (?:möchte|würde gerne?|wollte) (?:gerne? )?{_GOAL}", re.IGNORECASE),
    ),
    prerequisites=re.compile(
        r"\b(?:(?:dafür |dazu |hierfür )?(?<!dann )(?:brauchen|benötigen) (?:sie|wir|ihr)\b|(?:sie|ihr|du|wir|man) "
        r"(?:brauchen|benötigen|braucht|brauchst|benötigt)\b|voraussetzung(?:en)?\b|bevor wir (?:anfangen|"
        r"beginnen|starten|loslegen)|(?:legen|halten) sie [^.?!,]{2,60} (?:bereit|zurecht)|wird (?:\w+ "
        r")?(?:benötigt|vorausgesetzt)|ist erforderlich|(?:sie|ihr) sollten? (?:bereits |schon "
        r")?[^.?!]{2,60} (?:haben|kennen|mitbringen)\b|setze ich voraus)",
        re.IGNORECASE,
    ),
    definitions=(
        re.compile(
            r"(?:^|[,;]\s|\b(?:und|also|denn|ja|okay|gut)\s)(?:(?:der|die|das|ein|"
            r"eine)\s+)?(?P<term>[A-ZÄÖÜ][\w-]*(?:[\s-][A-ZÄÖÜ][\w-]*){0,2}),?\s+(?:(?:ist|sind)\s+(?:im "
            r"grunde |eigentlich |einfach |nichts anderes als |quasi |sozusagen |so etwas wie |immer |nur "
            r")*(?:ein|eine|einer|der\s+(?:teil|name|ort|vorgang|prozess|anteil)|die\s+(?:abkürzung|zahl|"
            r"menge|fähigkeit|differenz|stelle|temperatur|summe)|das\s+(?:gerät|programm|verhältnis|maß))\b|"
            r"bedeutet\b|heißt(?= (?:nichts|auf|so viel|dass|eigentlich))|steht\s+für\b|bezeichnet\b|,? das "
            r"ist\b|,? also\b(?= (?:ein|eine|der|die|das)))"
        ),
        re.compile(
            r"\b(?:(?:nennt|nennen)\s+(?:man|wir|sich)\b|(?:das|dies|es)\s+heißt\b)\s*(?:(?:dann|auch|das|als|"
            r"es|hier|übrigens|so)\s+)*"
            r"(?:(?:der|die|das|den|ein|eine|einen)\s+)?(?P<term>[A-ZÄÖÜ][\w-]*(?:[\s-][A-ZÄÖÜ][\w-]*){0,2})"
        ),
        re.compile(
            r"\b(?P<term>[A-ZÄÖÜ][A-ZÄÖÜ0-9-]{1,9}),?\s+(?:das heißt|das steht für|das bedeutet|also|kurz für|"
            r"oder auch|das ist)\b"
        ),
        re.compile(r"\b(?:sogenannte[nrsm]?|so genannte[nrsm]?)\s+(?P<term>[A-ZÄÖÜ][\w-]*(?:[\s-][A-ZÄÖÜ][\w-]*)?)"),
    ),
    pronouns=PRONOUNS,
    suffixes=SUFFIXES,
    nouns_are_capitalised=True,
    verbs=ACTIONS | GENERAL_ACTIONS,
    topics="Themen",
    conjunction="und",
    instruction=german_instruction,
)
