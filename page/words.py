"""The words of the page's widgets in other languages, by the browser's. What is said of a melody or a mistake stays English."""

import gradio as gr

GERMAN = {
    "Sing, play or drop a melody, pick a genre: drums, bass, guitar and strings join in.": (
        "Singe, spiele oder lade eine Melodie, wähle ein Genre: Schlagzeug, Bass, Gitarre und Streicher steigen ein."
    ),
    "Melody: MIDI, or sound": "Melodie: MIDI oder Klang",
    "Sing, hum, whistle or play one voice, from 1 second to 10 minutes": (
        "Singe, summe, pfeife oder spiele eine Stimme, von 1 Sekunde bis 10 Minuten"
    ),
    "Melodies to try": "Melodien zum Ausprobieren",
    "Seed": "Startzahl",
    "Who plays beside the piano": "Wer neben dem Klavier spielt",
    "Introduction": "Einleitung",
    "Variation": "Variation",
    "Chords": "Akkorde",
    "Key": "Tonart",
    "Metre": "Taktart",
    "Beats a minute": "Schläge pro Minute",
    "Melody track": "Melodiespur",
    "Takes": "Fassungen",
    "Make anew": "Neu machen",
    "Downloads": "Downloads",
    "Chords that were played": "Gespielte Akkorde",
    "Another seed gives other music.": "Eine andere Zahl gibt andere Musik.",
    "Towards 1 the playing gets freer, and rough.": "Gegen 1 wird das Spiel freier und rau.",
    "Empty: planned. Or yours, or the planned ones edited: | C  Am | F  G7 |": (
        "Leer: geplant. Oder deine, oder die geplanten bearbeitet: | C  Am | F  G7 |"
    ),
    "In the selected bars, or all.": "In den gewählten Takten, oder alles.",
    "A file": "Datei",
    "Record": "Aufnehmen",
    "Record with a click": "Mit Klick aufnehmen",
    "More": "Mehr",
    "Is something wrong with it?": "Stimmt etwas nicht?",
    "No melody at hand? Try one for me": "Keine Melodie da? Probiere eine für mich",
    "Suggest a genre": "Genre vorschlagen",
    "Dice": "Würfeln",
    "Accompany": "Begleiten",
    "Three takes": "Drei Fassungen",
    "Stop": "Stopp",
    "Another take of it": "Noch eine Fassung",
    "Undo": "Zurück",
    "Prepare WAV and stems": "WAV und Einzelspuren vorbereiten",
    "Open a settings file": "Einstellungen öffnen",
    "Half tempo": "Halbes Tempo",
    "Double tempo": "Doppeltes Tempo",
    "Bar lines a beat earlier": "Taktstriche einen Schlag früher",
    "Bar lines a beat later": "Taktstriche einen Schlag später",
}
WORDS = gr.I18n(en={word: word for word in GERMAN}, de=GERMAN)
