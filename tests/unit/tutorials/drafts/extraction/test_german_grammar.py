"""German instructions: what is one, and how it reads as a step."""

import pytest

from dataforge.contexts.tutorials.drafts.extraction.german_grammar import german_instruction


def step_of(sentence: str, *, shows: bool = False) -> str | None:
    instruction = german_instruction(sentence, shows)
    return instruction.text if instruction is not None and instruction.score >= 1 else None


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("Können Sie bitte das Kabel prüfen?", "Prüfen Sie das Kabel."),
        ("Könntest du bitte den Router neu starten?", "Starte den Router neu."),
        ("Sie müssen den Stecker ziehen.", "Ziehen Sie den Stecker."),
        (
            "Sie müssen den Router ausschalten und dann das Kabel abziehen.",
            "Schalten Sie den Router aus und ziehen Sie dann das Kabel ab.",
        ),
        ("Dann klicken Sie bitte auf Einstellungen.", "Klicken Sie auf Einstellungen."),
        ("Als Trennzeichen nehmen Sie das Semikolon.", "Als Trennzeichen nehmen Sie das Semikolon."),
        ("Wenn das Wasser kocht, geben Sie die Nudeln hinein.", "Wenn das Wasser kocht, geben Sie die Nudeln hinein."),
        ("Der nächste Schritt ist, die Schrauben zu lösen.", "Lösen Sie die Schrauben."),
        ("Achten Sie darauf, dass der Stecker fest sitzt.", "Achten Sie darauf, dass der Stecker fest sitzt."),
        ("Jetzt öffnen wir die Einstellungen.", "Öffnen Sie die Einstellungen."),
        ("Dann gibt man das Mehl in die Schüssel.", "Geben Sie das Mehl in die Schüssel."),
        ("Gib die Nudeln in das kochende Wasser.", "Gib die Nudeln in das kochende Wasser."),
        ("Du musst den Deckel abschrauben.", "Schraube den Deckel ab."),
        ("Jetzt nimmst du den Schlauch und legst ihn in den Eimer.", "Nimm den Schlauch und lege ihn in den Eimer."),
        ("Das Blatt legst du in den blauen Ordner.", "Das Blatt legst du in den blauen Ordner."),
        ("Ihr tippt auf Bestätigen und wartet.", "Tippe auf Bestätigen und warte."),
        ("Wenn etwas fehlt, trag es in die Liste ein.", "Wenn etwas fehlt, trag es in die Liste ein."),
        ("Den Stecker bitte nicht am Kabel ziehen.", "Ziehen Sie den Stecker nicht am Kabel."),
        ("Der Filter muss jede Woche getauscht werden.", "Der Filter muss jede Woche getauscht werden."),
        ("Dann bestätigen Sie das noch mit Ja.", "Bestätigen Sie das noch mit Ja."),
        ("Was Sie machen müssen, ist den Browser zu schließen.", "Schließen Sie den Browser."),
        ("Nicht auf Löschen klicken.", "Nicht auf Löschen klicken."),
        ("Jetzt den Router neu starten.", "Starten Sie den Router neu."),
        ("Vergessen Sie nicht, die Datei zu speichern.", "Speichern Sie die Datei."),
        ("Danach muss man das Gehäuse wieder zuschrauben.", "Schrauben Sie das Gehäuse wieder zu."),
        ("klicken sie jetzt auf einstellungen", "Klicken Sie auf einstellungen."),
        ("Warten Sie, bis die Lampe grün leuchtet.", "Warten Sie, bis die Lampe grün leuchtet."),
    ],
)
def test_an_instruction_becomes_an_imperative(said: str, step: str) -> None:
    assert step_of(said) == step


@pytest.mark.parametrize(
    "said",
    [
        "Ich habe auf Speichern geklickt.",
        "Wenn Sie darauf klicken, sehen Sie einen Fehler.",
        "Sie müssen nichts installieren.",
        "Sehen Sie das grüne Licht?",
        "Haben Sie das Gerät schon neu gestartet?",
        "Können Sie denn noch drucken?",
        "Könnten Sie mir bitte die Seriennummer nennen?",
        "Rufen Sie uns gerne wieder an.",
        "Moment, ich schaue kurz nach.",
        "Viele legen sie andersherum hinein.",
        "Vielen Dank für Ihren Anruf.",
        "Vergessen Sie das.",
        "Dann sollte das wieder gehen.",
        "Bleiben Sie bitte kurz dran.",
        "Können Sie das lesen?",
        "Hast du das schon mal gemacht?",
        "Nimmst du auch einen Kaffee?",
        "Gib mir mal den Schlüssel.",
        "Nach drei Tagen macht ihr das im Schlaf.",
        "Sag Bescheid, wenn du fertig bist.",
        "",
        "…",
    ],
)
def test_talk_is_no_instruction(said: str) -> None:
    assert step_of(said) is None


def test_what_a_lecturer_does_is_an_instruction_and_what_an_agent_does_is_none() -> None:
    said = "Zuerst öffne ich die Datei."

    assert step_of(said, shows=True) == "Öffnen Sie die Datei."
    assert step_of(said, shows=False) is None
