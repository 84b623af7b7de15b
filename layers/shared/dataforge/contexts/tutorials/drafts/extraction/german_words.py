"""Words of German instructions and conversations."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split("|"))


STOP_WORDS = _words(
    """aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes anders auch auf
    aus außerdem bei beide beiden beim bevor bin bis bist bitte brauche brauchen braucht da dabei dadurch dafür
    dagegen daher dahin damit danach daneben dann daran darauf daraus darf dass davon davor dazu dein deine
    deinem deinen deiner dem den denen denn der deren des deshalb dessen dich die dies diese diesem diesen
    dieser dieses dir doch dort drei du durch dürfen eben ein eine einem einen einer eines einfach einmal einige
    einigen einiger entweder er erst erste ersten es etwa etwas euch euer eure euren fast für ganz ganze ganzen
    gar geben gegeben gegen geht gehen genau genug gerade gerne gesagt gibt ging gut gute guten guter gutes hab
    habe haben halt hat hatte hatten hätte hätten hauptsächlich heißt her heute hier hin hinter ich ihm ihn
    ihnen ihr ihre ihrem ihren ihrer im immer in indem ins irgendwie ist ja jede jedem jeden jeder jedes jetzt
    jemand kann kannst kein keine keinem keinen keiner klar kommen kommt können könnte könnten könnt kurz lassen
    leider machen macht mal man manchmal mehr mein meine meinem meinen meiner meist meistens mich mir mit möchte
    möchten mögen muss müssen müssten müsste nach nachdem nächste nächsten nächstes natürlich neben nein nicht
    nichts nie niemand noch nochmal normalerweise nun nur ob obwohl oder oft ohne okay okey richtig sagen schon
    schön sehen sehr sei seid sein seine seinem seinen seiner seit sich sicher sie siehst sieht sind so sobald
    sogar solche solchen soll sollen sollte sollten sondern sonst sowie super tun über um und uns unser unsere
    unserem unseren unserer unter viel viele vielen vielleicht vom von vor vorher während wann war waren warum
    was weil weiter weiß welche welchem welchen welcher welches wenig weniger wenn wer werden wie wieder will
    wir wird wirklich wissen wo wohl wollen worden wurde wurden würde würden zu zum zur zwar zwei zwischen danke
    hallo tschüss genauso dankeschön minute minuten sekunde sekunden vier fünf sechs sieben acht neun zehn
    sozusagen eigentlich praktisch quasi ding sache dinge sachen mhm äh ähm drauf drin dran raus rein wieder
    wiederum schauen schaut finden findet beispiel beispielsweise zunächst zuerst anschließend"""
)

# Base verbs; prefixes that part from them are taken off before the look-up.
ACTIONS = _words(
    """klicken drücken öffnen schließen starten stecken schrauben ziehen schieben schalten tippen geben wählen drehen
    stellen legen setzen halten nehmen laden speichern kopieren löschen installieren deinstallieren aktivieren
    deaktivieren aktualisieren bestätigen entfernen verbinden trennen verwenden prüfen überprüfen kontrollieren
    füllen gießen rühren schneiden mischen erhitzen kochen backen kneten schütten würzen waschen spülen trocknen
    putzen reinigen wischen bürsten schleifen bohren sägen hämmern kleben löten messen wiegen markieren scannen
    drucken scrollen navigieren wechseln melden loggen registrieren eintragen tragen fügen ersetzen tauschen
    austauschen hängen heften binden wickeln falten rollen klappen kippen schütteln heben senken senden schicken
    exportieren importieren konfigurieren erstellen anlegen benennen definieren verschieben sortieren filtern
    suchen ändern bearbeiten erweitern verlängern kürzen teilen freigeben sperren entsperren minimieren
    maximieren zoomen schreiben notieren unterschreiben streichen berechnen addieren subtrahieren multiplizieren
    dividieren buchen verbuchen abgleichen zentrifugieren pipettieren verdünnen lösen befestigen festziehen
    lockern ölen fetten schmieren pumpen entlüften entleeren leeren tauchen abdecken decken bedecken bestreichen
    bestreuen reiben hacken schälen würfeln braten dünsten grillen kühlen wärmen vorheizen heizen formatieren
    partitionieren booten flashen kompilieren committen pushen pullen mergen downloaden uploaden hochladen
    verknüpfen zuweisen zuordnen entpacken packen verpacken sichern wiederherstellen stapeln zählen zurücksetzen
    resetten kalibrieren justieren ausrichten richten montieren demontieren bauen verschließen verriegeln
    entriegeln spannen klemmen knicken biegen feilen streuen sieben tupfen tropfen träufeln desinfizieren
    beschriften etikettieren stempeln lochen fotografieren wenden kreuzen einlesen abziehen ablösen verlegen
    verlassen beenden abbrechen brechen rufen führen knipsen pressen quetschen verteilen streifen lagern
    zeichnen malen eingeben anpassen passen initialisieren trainieren normalisieren skalieren plotten bestücken
    umrühren verrühren vermengen unterheben hinzufügen ausfüllen anklicken anhaken haken ankreuzen abhaken
    abschalten einschalten graben pflanzen jäten säen grundieren spachteln verputzen verfugen hobeln stemmen
    dübeln nieten schweißen nähen säumen bügeln stricken häkeln schrubben einweichen wringen bleichen
    blanchieren schmoren marinieren rösten sprühen polieren lackieren skizzieren dehnen knien tackern schreddern
    laminieren ordnen abheften zupfen quirlen pürieren garnieren löffeln spritzen fädeln knoten rütteln hebeln
    zerren stoßen klopfen kneifen"""
)
GENERAL_ACTIONS = _words(
    """machen gehen warten lassen schauen gucken lesen vergleichen beachten achten probieren versuchen wiederholen
    fahren laufen fangen folgen springen holen bringen kaufen bestellen planen besorgen nutzen benutzen sorgen
    denken vergessen überlegen merken kümmern rechnen zählen üben testen blicken werfen treten steigen beginnen
    bleiben setzen überspringen vermeiden behalten hinterlegen vergewissern tun kontaktieren informieren
    dokumentieren protokollieren fassen greifen berühren erfassen festlegen entscheiden ergänzen begrenzen
    einstellen zerlegen untersuchen beobachten belassen schützen anfordern fordern beantragen reservieren bitten
    fragen zeigen ermitteln bestimmen nachsehen nachschauen"""
)
NO_ACTIONS = _words(
    """haben sein sind werden können müssen sollen sollten dürfen wollen möchten mögen wissen kennen sehen hören
    verstehen glauben meinen denken finden bekommen erhalten kommen brauchen benötigen landen merken erkennen
    gelangen sagen erzählen reden sprechen erklären besprechen behandeln lernen heißen bedeuten geschehen
    passieren erwarten hoffen freuen wundern fühlen erinnern befinden stehen liegen gehören scheinen
    entschuldigen danken helfen wünschen kriegen hätten wären würden könnten müssten dürften wollten hatten
    waren erleben arbeiten betrachten ansehen nennen bezeichnen unterscheiden sorgen interessieren beschäftigen
    widmen vorstellen funktionieren passieren existieren akzeptieren interessieren diskutieren telefonieren
    gratulieren reagieren kosten"""
) - frozenset(("denken", "sorgen", "merken"))

PREFIXES = tuple(
    sorted(
        [
            "ab",
            "an",
            "auf",
            "aus",
            "bei",
            "durch",
            "ein",
            "fest",
            "fort",
            "frei",
            "gegenüber",
            "heraus",
            "herunter",
            "herein",
            "hinein",
            "hinaus",
            "hinunter",
            "hinzu",
            "hoch",
            "los",
            "mit",
            "nach",
            "neu",
            "raus",
            "rein",
            "runter",
            "rauf",
            "drauf",
            "sicher",
            "um",
            "unter",
            "vor",
            "voran",
            "vorbei",
            "weg",
            "weiter",
            "wieder",
            "zu",
            "zurück",
            "zusammen",
            "herauf",
            "her",
            "hin",
            "heran",
            "hinauf",
            "über",
        ],
        key=lambda prefix: (-len(prefix), prefix),
    )
)

# Imperatives and forms of the second and third person that rules do not give.
IRREGULAR = {
    form: verb
    for verb, forms in {
        "geben": "gib gibst gibt",
        "nehmen": "nimm nimmst nimmt",
        "lesen": "lies liest",
        "sehen": "sieh",
        "werfen": "wirf wirfst wirft",
        "treten": "tritt trittst",
        "messen": "miss misst",
        "sprechen": "sprich",
        "vergessen": "vergiss vergisst",
        "brechen": "brich brichst bricht",
        "halten": "hältst hält",
        "laden": "lädst lädt",
        "tragen": "trägst trägt",
        "fahren": "fährst fährt",
        "lassen": "lässt",
        "schlagen": "schlägst",
        "waschen": "wäschst wäscht",
        "braten": "brätst brät",
        "backen": "bäckst",
        "laufen": "läufst läuft",
        "fangen": "fängst fängt",
        "tun": "tu tue tust tut",
    }.items()
    for form in forms.split()
}
SHORT_FORMS = _words("gib nimm lies sieh wirf tritt miss sprich vergiss brich tu tue")
# Imperatives without an ending that are no nouns at the head of a sentence.
SHORT_IMPERATIVES = _words(
    """klick drück öffne schließ stell geh mach leg setz nimm gib schau guck zieh schieb dreh lad such trag lass halt
    heb lös misch rühr koch schneid füll gieß kipp scann prüf kontrollier putz wisch wasch spül klapp häng kleb
    bieg roll falt wiederhol speicher kopier lösch markier notier wechsel tausch ersetz bestell hol bring pack
    stapel sortier zähl sperr schraub klemm entfern"""
    "wähl tipp schalt schreib steck achte warte"
)

LEADS = _phrases(
    """ja|nein|okay|ok|okey|gut|sehr gut|alles klar|genau|super|prima|perfekt|wunderbar|schön|sehr schön|klasse|
    toll|richtig|so|also|und|aber|oder|na gut|na ja|naja|ach so|ach|ah|oh|äh|ähm|hm|mhm|doch|natürlich|klar|
    kein problem|danke|vielen dank|danke schön|gerne|keine sorge|in ordnung|wie gesagt|das heißt|und zwar|
    nämlich|hier|da|dort|dafür|dazu|damit|wieder|noch einmal|nochmal|noch mal|einfach|am besten|am einfachsten|
    bitte|vielleicht|wichtig|ganz wichtig|sicherheitshalber|zur sicherheit|in diesem fall|in dem fall|dabei|
    deshalb|daher|darum|außerdem|zusätzlich|idealerweise|gleichzeitig|passt|stimmt|einverstanden|sonst|
    ansonsten|gegebenenfalls|kurz|mal|im normalfall|normalerweise|in der regel|achtung|vorsicht|übrigens|
    von dort|von hier aus|im grunde|eigentlich|ganz einfach|das machen wir|denn|sehr wichtig"""
)
SEQUENCE = _phrases(
    """zuerst|zuallererst|als erstes|als erster schritt|zunächst|zunächst einmal|erstens|zweitens|drittens|
    viertens|erst|erst einmal|erst mal|erstmal|dann|danach|anschließend|im anschluss|als nächstes|als zweites|
    als drittes|als letztes|jetzt|nun|schließlich|zum schluss|zuletzt|abschließend|im nächsten schritt|
    im ersten schritt|im zweiten schritt|im dritten schritt|im letzten schritt|daraufhin|nachher|vorher|davor|
    zum abschluss|schritt eins|schritt zwei|schritt drei|schritt vier|schritt fünf|sobald das erledigt ist|
    wenn das erledigt ist|wenn sie das haben|nun gut|am anfang|zu beginn|am ende|währenddessen|hinterher"""
)
PARTICLES = _words(
    "mal bitte einfach kurz einmal doch halt eben ruhig erst zuerst zunächst nur auch dann jetzt nun "
    "noch gleich direkt wieder also einfach schon am besten gerne"
)
FILLERS = r"(?:äh+|ähm+|öh+|öhm+|hm+|mhm|ehm+|eh|tja)"
BACKCHANNEL = _words(
    """ja jo nein okay ok gut genau mhm hm äh ähm ah oh achso ach so alles klar verstanden super prima richtig aha
    danke stimmt natürlich klar sicher einverstanden perfekt sehr schön fertig"""
)
ABBREVIATIONS = _words(
    "z.b. d.h. u.a. bzw. usw. etc. ca. dr. prof. nr. evtl. ggf. inkl. bspw. sog. vgl. min. max. "
    "mind. z. b. d. h. u. a. str. tel. hr. fr. abb. s. o. i.d.r."
)
PRONOUNS = _words(
    """das dies diese dieser dieses es er sie ich wir ihr man der die den dem wer was hier da dort alles etwas nichts
    jeder eins aber und oder wenn weil problem frage grund idee ziel rest sache trick fehler unterschied vorteil
    nachteil erste zweite nächste letzte anderes wichtig jetzt dann also so auch beides punkt thema fall heute
    wie nur noch mein dein elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig
    dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend wunderbar trotzdem passt prima
    klasse perfekt deswegen jedenfalls überhaupt sowieso stunde stunden moment genauer ach hm ähm öh nee ok"""
)
SUFFIXES = (
    "ungen",
    "ung",
    "ende",
    "enden",
    "erem",
    "eren",
    "eres",
    "ern",
    "em",
    "en",
    "er",
    "es",
    "st",
    "et",
    "e",
    "n",
    "s",
    "t",
)
