"""English instructions: what is one, and how it reads as a step."""

import pytest

from dataforge.contexts.tutorials.drafts.extraction.english_grammar import english_instruction
from dataforge.contexts.tutorials.drafts.extraction.languages import Instruction
from dataforge.contexts.tutorials.drafts.extraction.sentences import capitalised


def step_of(sentence: str, *, shows: bool = False) -> str | None:
    instruction: Instruction | None = english_instruction(sentence, shows)
    return capitalised(instruction.text) if instruction is not None and instruction.score >= 1 else None


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("Could you restart the router?", "Restart the router."),
        ("Can you please unplug the power cable from the back?", "Unplug the power cable from the back."),
        ("Would you mind opening the lid?", "Open the lid."),
        ("Okay, so what you want to do is go to the control panel.", "Go to the control panel."),
        ("What I'd like you to do is hold down the power button.", "Hold down the power button."),
        ("The next thing is to unscrew the two screws.", "Unscrew the two screws."),
        ("You need to preheat the oven to 180 degrees.", "Preheat the oven to 180 degrees."),
        ("Once the water boils, add the pasta and stir it.", "Once the water boils, add the pasta and stir it."),
        ("In the list at the top you have to select Paris.", "In the list at the top, select Paris."),
        ("Right, now just type in config.yaml and hit enter, okay?", "Type in config.yaml and hit enter."),
        ("Try plugging it into another port.", "Plug it into another port."),
        ("Don't forget to save the file.", "Save the file."),
        ("Let's go ahead and remove the cover.", "Remove the cover."),
        ("Make sure that the cable is plugged in.", "Make sure that the cable is plugged in."),
        ("Now pipette fifty microliters into each well.", "Pipette fifty microliters into each well."),
        ("Wait until the light turns green.", "Wait until the light turns green."),
        ("Please open https://example.org/a?b=c and log in.", "Open https://example.org/a?b=c and log in."),
        ("From the Tools menu choose Options.", "From the Tools menu, choose Options."),
        ("To print it, press control and P.", "To print it, press control and P."),
        ("Each sample should be labelled with the date.", "Each sample should be labelled with the date."),
        ("So the first thing we do is open the valve.", "Open the valve."),
        ("Keep stirring until it gets thick.", "Keep stirring until it gets thick."),
        ("You don't want to press too hard.", "Don't press too hard."),
        ("Then you put the lid back on.", "Put the lid back on."),
        ("Once it's dry, you sand it again.", "Once it's dry, sand it again."),
        ("Turn the knob to the right.", "Turn the knob to the right."),
        ("Then press OK.", "Press OK."),
        ("It's important to weigh the sample twice.", "Weigh the sample twice."),
    ],
)
def test_an_instruction_becomes_an_imperative(said: str, step: str) -> None:
    assert step_of(said) == step


@pytest.mark.parametrize(
    "said",
    [
        "I clicked on save yesterday.",
        "If you click on that, you'll see an error.",
        "You don't need to restart it.",
        "Do you see a green light?",
        "Can you get to your files?",
        "Could you tell me your customer number?",
        "Thank you for calling, and have a nice day.",
        "Please hold the line.",
        "Just give me a second.",
        "Let me check that for you.",
        "Let's see what happens.",
        "Don't worry about it.",
        "Sure, go ahead.",
        "Count the rows, yes.",
        "If you had opened the file, it would have worked.",
        "Look at that, beautiful.",
        "Open source software is free.",
        "Write access is what you need.",
        "I clicked save, close, and then open.",
        "My boss told me to click on the link.",
        "",
        "...",
    ],
)
def test_talk_is_no_instruction(said: str) -> None:
    assert step_of(said) is None


def test_what_a_lecturer_does_is_an_instruction_and_what_an_agent_does_is_none() -> None:
    said = "Now I'm going to open my terminal."

    assert step_of(said, shows=True) == "Open your terminal."
    assert step_of(said, shows=False) is None
