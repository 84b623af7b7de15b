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
        r"^(?:(?:okay|ok|so|gut|also|ja|super|prima|schön|sehr gut|alles klar|und|perfekt|genau|"
        r"wunderbar)[,.!]*\s+)*(?:"
        r"(?:jetzt |dann |nun )?(?:kommen wir (?:\w+ ){0,3}(?:zu[mr]?|auf)\b|gehen wir (?:\w+ ){0,3}(?:weiter|über)\b|"
        r"machen wir (?:\w+ ){0,3}weiter\b|fangen wir (?:\w+ ){0,6}an\b|(?:beginnen|starten|steigen) wir "
        r"(?:\w+ ){0,4}(?:mit|ein)\b|"
        r"(?:sprechen|reden) wir (?:\w+ ){0,3}über\b|wenden wir uns\b|(?:fehlt|fehlen|bleibt|bleiben) "
        r"(?:uns )?(?:jetzt |nun )?noch\b)|"
        r"weiter (?:geht|mit)\b|(?:als nächstes|nun|jetzt) (?:kommt (?:der|die|das) (?:nächste|zweite|"
        r"dritte|letzte)|möchte ich|wollen wir|will ich|zeige "
        r"ich|sprechen wir|besprechen wir|"
        r"behandeln wir|widmen wir|geht es (?:um|weiter|an))\b|"
        r"(?:der|das|die|unser|mein) (?:nächste|zweite|dritte|vierte|letzte|andere)[rsn]? (?:punkt|thema|"
        r"teil|abschnitt|frage|kapitel|"
        r"problem|themenblock)\b|damit (?:kommen|sind|wären) wir\b|das bringt (?:uns|mich)\b|"
        r"(?:jetzt|nun|dann) noch (?:etwas|eins|eine sache|eine frage|was|zu[mr]?)\b|"
        r"(?:sagen sie,? |sag mal,? )?(?:ich habe?|ich hätte|da ist|es gibt|da wäre) (?:da )?noch (?:eine|"
        r"ein|was|etwas)\b|"
        r"noch (?:eine?|was|etwas) (?:\w+ )?(?:frage|punkt|thema|sache|anderes|wichtiges)\b|eine "
        r"(?:letzte|andere|weitere) (?:frage|sache)\b|"
        r"(?:wir sind|das war|damit sind wir) (?:fast |beinahe |auch schon |schon |jetzt )*(?:am ende|"
        r"fertig|durch|alles|es)\b|"
        r"was haben wir (?:heute )?(?:gemacht|gelernt|gesehen)\b|(?:teil|kapitel|abschnitt|thema) (?:eins|"
        r"zwei|drei|vier|fünf|\d)\b|"
        r"zu[mr] [\wäöüß]+(?: [\wäöüß]+)?\.|zusammenfassend\b|zum abschluss\b|abschließend\b|fassen wir\b|ich fasse\b|"
        r"(?:noch ?mal )?zusammengefasst\b|(?:ich|wir) (?:möchten?|will|wollen) (?:jetzt |nun |noch |"
        r"gerne |dann |als nächstes )*(?:auf|über|zu[mr]?)\b|"
        r"kann ich sonst noch\b|(?:haben sie|habt ihr|gibt es) (?:sonst )?noch (?:eine |weitere )?fragen?\b|"
        r"bevor wir (?:\w+)\b|apropos\b|das war(?:'s| es)? (?:zu[mr]?|mit)\b|so ?weit zu[mr]?\b|so viel zu[mr]?\b)",
        re.IGNORECASE,
    ),
    openers=frozenset(
        {"so", "gut", "also", "okay", "ok", "prima", "schön", "super", "wunderbar", "perfekt", "dann", "jetzt", "nun"}
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
            r"eine)\s+)?(?P<term>[A-ZÄÖÜ][\w-]*(?:\s[A-ZÄÖÜ][\w-]*){0,2}),?\s+(?:(?:ist|sind)\s+(?:im "
            r"grunde |eigentlich |einfach |nichts anderes als |quasi |sozusagen |so etwas wie |immer |nur "
            r")*(?:ein|eine|einer|der\s+(?:teil|name|ort|vorgang|prozess|anteil)|die\s+(?:abkürzung|zahl|"
            r"menge|fähigkeit|differenz|stelle|temperatur|summe)|das\s+(?:gerät|programm|verhältnis|maß))\b|"
            r"bedeutet\b|heißt(?= (?:nichts|auf|so viel|dass|eigentlich))|steht\s+für\b|bezeichnet\b|,? das "
            r"ist\b|,? also\b(?= (?:ein|eine|der|die|das)))"
        ),
        re.compile(
            r"\b(?:(?:nennt|nennen)\s+(?:man|wir|sich)\b|(?:das|dies|es)\s+heißt\b)\s*(?:(?:dann|auch|das|als|"
            r"es|hier|übrigens|so)\s+)*"
            r"(?:(?:der|die|das|den|ein|eine|einen)\s+)?(?P<term>[A-ZÄÖÜ][\w-]*(?:\s[A-ZÄÖÜ][\w-]*){0,2})"
        ),
        re.compile(
            r"\b(?P<term>[A-ZÄÖÜ][A-ZÄÖÜ0-9-]{1,9}),?\s+(?:das heißt|das steht für|das bedeutet|also|kurz für|"
            r"oder auch|das ist)\b"
        ),
        re.compile(r"\b(?:sogenannte[nrsm]?|so genannte[nrsm]?)\s+(?P<term>[A-ZÄÖÜ][\w-]*(?:\s[A-ZÄÖÜ][\w-]*)?)"),
    ),
    pronouns=PRONOUNS,
    suffixes=SUFFIXES,
    nouns_are_capitalised=True,
    verbs=ACTIONS | GENERAL_ACTIONS,
    topics="Themen",
    conjunction="und",
    instruction=german_instruction,
)
