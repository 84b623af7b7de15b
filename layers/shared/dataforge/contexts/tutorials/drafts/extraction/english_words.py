"""Words of English instructions and conversations."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split("|"))


STOP_WORDS = _words(
    """a about above actually after again all also always am an and another any anybody anyone anything are aren't
    around as at back be because been before being below best better between both but by came can can't cannot
    come comes could couldn't course did didn't different do does doesn't doing don't done down during each
    either else even ever every everybody everyone everything exactly few first for from get gets getting give
    given go goes going gonna gone good got great had hadn't has hasn't have haven't having he he's hello her
    here here's hers him his how however i i'd i'll i'm i've if in instead into is isn't it it'll it's its
    itself just kind know last least less let let's like little long look looking looks lot made make makes many
    may maybe me mean means might more most much must my need needs never new next nice no not nothing now of
    off often oh okay ok on once one ones only onto or other others our out over own part particular people
    perfect perhaps please pretty probably put quite rather really right said same say says see seen set several
    shall she should shouldn't show since so some somebody someone something sometimes soon still such sure take
    takes tell than thank thanks that that's the their them then there there's these they they'd they'll they're
    they've thing things think this those though three through time times to today together too took towards try
    trying two under until up us use used using usually very want wants was wasn't way we we'd we'll we're we've
    well went were weren't what what's when where whether which while who whole whose why will with within
    without won't would wouldn't yeah yes yet you you'd you'll you're you've your yours yourself minute minutes
    second seconds hi bye sorry alright fine guess basically already four five six seven eight nine ten hundred
    everybody's bit again"""
)

# They name what hands, mouse, keyboard, tools and kitchen do: at the head of a clause they are an instruction.
ACTIONS = _words(
    """activate add adjust align allow append apply approve arrange assemble assign attach authenticate back_up bake
    beat bend blend boil bolt boot browse calibrate cancel center centrifuge chill choose chop clamp clean clear
    click clip clone close combine commit compile confirm configure connect copy cover crimp crop cut deactivate
    defrost delete deploy deselect detach dilute dip disable disassemble discard disconnect dissolve
    double-click download drag drain draw drill drop dry duplicate edit eject empty enable engage enter erase
    execute expand export extract fasten file fill filter find flip flush fold fry glue grab grease grill grind
    hammer heat highlight hit hold hover import incubate inject insert inspect install invert join knead label
    launch lay lift load lock log loosen lower lubricate mark measure melt merge mix mount move mute name
    navigate open pair paste peel pick pipette place plug polish pop pour preheat press print pull punch push
    rearrange reattach reboot rebuild reconnect record refresh reinsert reinstall release reload remove rename
    repeat replace reset resize restart restore retype rewrite right-click rinse roll rotate rub run sand save
    saw scan screw scroll seal search season select send separate shake share sharpen shut sieve sift sign
    simmer slice slide solder sort split spread sprinkle squeeze stir strain swap swipe switch tap tape taste
    tick tie tighten tilt toggle transfer trim turn twist type unbolt uncheck unclip uncover undo unfold
    uninstall unlock unmount unmute unpack unplug unscrew untick unwrap unzip update upgrade upload verify warm
    wash weigh whisk wipe withdraw wrap write zip zoom submit schedule minimise minimize maximise maximize rate
    backup re-enter reopen reapply recheck retry refill reposition dial position power stack level vacuum
    degrease ventilate disinfect sterilise sterilize pipet vortex aliquot titrate autoclave set check change
    create define specify declare initialise initialize test train fit plot normalise normalize scale encode
    decode calculate compute subtract multiply divide round deduct post reconcile invoice restock photograph
    scratch sew iron hang hook dig plant water prune rake sow weed dab prime brush baste hem pin thread knit
    unpick plaster grout caulk chisel rivet weld hose scrub soak buff wax mop wring steam bleach blanch braise
    marinate garnish toast poach whip skim proof spray lather dust staple glaze varnish paint stain sketch
    outline shade tune strum bow breathe stretch kneel stamp shred photocopy laminate fax tear crumple untie
    unfasten untangle unroll unhook uncoil slacken pry lever nudge tug yank jiggle wiggle slot dock tuck"""
)

# They need more around them to be one.
GENERAL_ACTIONS = _words(
    """accept access allow ask avoid book bring build call carry catch compare complete contact continue convert count
    decide decline deliver describe design document double-check enlarge ensure establish evaluate examine fetch
    finish fix focus follow forward get give go grant ignore include increase decrease invite jump keep leave
    let list listen locate look maintain make manage map match meet note notify observe order organise organize
    pass pause pay perform pin plan practise practice prepare provide publish put quit raise read reach rebase
    receive redo reduce reject register repair report request require resolve respond return review revert route
    secure serve set_up shift sit skip space speak stand start state stay step stick stop store subscribe
    support take think touch trace track translate treat trigger try use view visit wait walk watch wear work do
    confirm reply enjoy hand force line aim guide drive"""
)

# Verbs that tell of states, of talk, or of what the speakers do with each other.
NO_ACTIONS = _words(
    """be been know see think say tell hear understand imagine notice want need like worry mean believe guess hope
    thank mind help bear wonder seem become happen expect love hate learn talk mention explain discuss assume
    suppose pretend feel realise realize appreciate apologise apologize promise recall agree disagree recommend
    suggest summarise summarize recap cover dive begin have consider bet swear admit care wish fear doubt
    forgive excuse welcome trust deserve exist belong matter sound appear end to the a"""
)

LEADS = _phrases(
    """all right then|all right|alright then|alright|all good|okay then|okay great|okay|ok|so|well|right|great|
    perfect|good|excellent|wonderful|fantastic|awesome|lovely|cool|nice|very good|yes|yep|yeah|yup|no|
    no problem|no worries|sure|of course|absolutely|exactly|correct|thank you|thanks|oh|ah|and|but|or|actually|
    basically|also|again|once again|as i said|as i say|for now|at this point|in that case|in this case|
    from there|here|there|what i'd suggest|you see|you know|i see|i mean|let's see|got it|understood|hmm|mm|mhm|
    um|uh|uh-huh|meanwhile|because|still|now that's done|that's great|that's fine|that's good|that's perfect|
    that's right|that's correct|that's it|that's okay|fair enough|good question|not a problem|it's easy|
    very important|important|most importantly|quickly|ideally|maybe|perhaps|by the way|don't worry|
    one more thing|as always|as usual"""
)
SEQUENCE = _phrases(
    """first of all|first off|first thing|firstly|first|second|secondly|third|thirdly|fourth|next up|next|then|
    after that|after this|afterwards|once that's done|once that is done|when that's done|when you're done|
    once you're done|finally|lastly|last but not least|to start with|to start|to begin with|to begin|to finish|
    at the end|in the end|now|right now|as a next step|as the next step|as a first step|step one|step two|
    step three|step four|step five|step six|for the next step|before that|before you do that|in the next step|
    in the first step|at the same time|additionally|in addition|and then"""
)
FILLERS = r"(?:um+|uh+|uhm+|erm*|ah+|hmm+|mm+|mhm)"
BACKCHANNEL = _words(
    """yes yeah yep yup no okay ok right alright mhm uh-huh hmm mm uh um oh ah sure great good perfect got it i see
    fine thanks thank you understood cool exactly nice done all"""
)
ABBREVIATIONS = _words(
    "e.g. i.e. etc. vs. mr. mrs. ms. dr. prof. st. no. approx. inc. ltd. fig. sec. min. max. dept. p.m. a.m."
)
PRONOUNS = _words(
    """it this that there these those he she they we you i what which who here everything something nothing one
    everyone someone and but so if when because problem thing point question idea reason goal rest trick issue
    answer case way result difference advantage disadvantage first second next last good other only main most
    more today eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty
    fifty sixty seventy eighty ninety thousand sounds lovely wonderful excellent nothing's half ah um uh hmm mm
    brilliant super obviously probably definitely everyone's hours hour"""
)
SUFFIXES = (
    "ations",
    "ation",
    "ingly",
    "ings",
    "ments",
    "ment",
    "edly",
    "ness",
    "ing",
    "ied",
    "ies",
    "ers",
    "ed",
    "es",
    "er",
    "ly",
    "s",
    "e",
    "y",
)
