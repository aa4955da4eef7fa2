"""The words of the page's widgets in other languages, chosen by the browser's language.

Facts about a melody, and errors, stay English.
"""

import gradio as gr

GERMAN = {
    "Sing, play or drop a melody, pick a genre: drums, bass, guitar and strings join in.": (
        "Singe, spiele oder lade eine Melodie, wähle ein Genre: "
        "Schlagzeug, Bass, Gitarre und Streicher steigen ein."
    ),
    # Where a melody comes from
    "A file": "Datei",
    "Record": "Aufnehmen",
    "Record with a click": "Mit Klick aufnehmen",
    "Melody: a MIDI file or a recording": "Melodie: MIDI-Datei oder Aufnahme",
    "Sing, hum, whistle or play one voice, from 1 second to 10 minutes": (
        "Singe, summe, pfeife oder spiele eine Stimme, von 1 Sekunde bis 10 Minuten"
    ),
    "Example melodies": "Beispielmelodien",
    "Try a random example": "Zufälliges Beispiel probieren",
    "Invent a melody": "Melodie erfinden",
    "Settings of invented melodies": "Einstellungen erfundener Melodien",
    "Length in bars": "Länge in Takten",
    "Melody variation": "Variation der Melodie",
    "0: predictable. 1.5: unusual.": "0: vorhersehbar. 1,5: ungewöhnlich.",
    "Melody seed": "Startzahl der Melodie",
    "Invent with this seed": "Mit dieser Startzahl erfinden",
    # How the band is made
    "Suggest a genre": "Genre vorschlagen",
    "Seed": "Startzahl",
    "Another seed gives different music.": "Eine andere Zahl ergibt andere Musik.",
    "Random": "Zufällig",
    "Instruments besides the piano": "Instrumente neben dem Klavier",
    "More settings": "Weitere Einstellungen",
    "Introduction": "Einleitung",
    "Variation": "Variation",
    "Higher: the playing is freer, and rougher.": "Höher: Das Spiel ist freier und rauer.",
    "Chords": "Akkorde",
    "Leave empty to have them planned, or type your own: | C  Am | F  G7 |": (
        "Leer lassen, um sie planen zu lassen, oder eigene eingeben: | C  Am | F  G7 |"
    ),
    "Open a settings file": "Einstellungen öffnen",
    "In the style of": "Im Stil von",
    "Style": "Stil",
    "Second style": "Zweiter Stil",
    "Share of the second style": "Anteil des zweiten Stils",
    "Strength of the style": "Stärke des Stils",
    "0: no style. 1: the patterns of that song throughout.": (
        "0: kein Stil. 1: durchweg die Muster jenes Stücks."
    ),
    "Or your own song as the style: MIDI with a band": (
        "Oder dein eigenes Stück als Stil: MIDI mit Band"
    ),
    "Accompany": "Begleiten",
    "Three takes": "Drei Fassungen",
    "Stop": "Stopp",
    # The melody that is open
    "Correct key, metre or tempo": "Tonart, Taktart oder Tempo berichtigen",
    "Key": "Tonart",
    "Metre": "Taktart",
    "Beats per minute": "Schläge pro Minute",
    "Half tempo": "Halbes Tempo",
    "Double tempo": "Doppeltes Tempo",
    "Bar lines a beat earlier": "Taktstriche einen Schlag früher",
    "Bar lines a beat later": "Taktstriche einen Schlag später",
    "Melody track": "Melodiespur",
    "Make it longer by": "Verlängern um",
    "Continue the melody": "Melodie weiterführen",
    "Remove the last addition": "Letzte Ergänzung entfernen",
    # The take that is shown
    "Takes": "Fassungen",
    "What to remake": "Was neu gemacht wird",
    "In the selected bars; in all bars if none are selected.": (
        "In den gewählten Takten; in allen, wenn keine gewählt sind."
    ),
    "Remake": "Neu machen",
    "Undo": "Zurück",
    "Blend two takes": "Zwei Fassungen mischen",
    "Blend the take that is shown with": "Die gezeigte Fassung mischen mit",
    "Amount of the other take": "Anteil der anderen Fassung",
    "Release the slider to play.": "Regler loslassen, um es zu hören.",
    "Explore an instrument": "Ein Instrument erkunden",
    "Instrument": "Instrument",
    "Sparser to busier": "Sparsam bis lebhaft",
    "Fewer to more pitches": "Wenige bis viele Töne",
    "Another character": "Anderer Charakter",
    "Reset all instruments": "Alle Instrumente zurücksetzen",
    "Downloads": "Downloads",
    "Prepare WAV and stems": "WAV und Einzelspuren vorbereiten",
    "Chords that were played": "Gespielte Akkorde",
}
WORDS = gr.I18n(en={word: word for word in GERMAN}, de=GERMAN)
