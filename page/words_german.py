"""All words of the page in German, by the English ones. Values stand in braces."""

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
    # What Python says: facts of melodies, names in lists, messages
    "{count} bars": "{count} Takte",
    "1 bar": "1 Takt",
    " and a pickup": " und ein Auftakt",
    "{key}, {tempo} beats a minute, {meter}, {bars}": (
        "{key}, {tempo} Schläge pro Minute, {meter}, {bars}"
    ),
    "{key}, {tempo} beats a minute, {meter} at first, {bars}": (
        "{key}, {tempo} Schläge pro Minute, anfangs {meter}, {bars}"
    ),
    " {count} notes were found.": " {count} Töne wurden gefunden.",
    "**You** and **Piano** can be muted one by one: the band with your recording, with a piano "
    "playing the melody, or alone.": (
        "**Du** und **Klavier** lassen sich einzeln stumm schalten: die Band mit deiner Aufnahme, "
        "mit einem Klavier, das die Melodie spielt, oder allein."
    ),
    "{title}, as understood": "{title}, wie verstanden",
    " The last {bars} bars were added here ({genre}, seed {seed}).": (
        " Die letzten {bars} Takte kamen hier dazu ({genre}, Startzahl {seed})."
    ),
    " Your recording is not played with it: it does not hold the added bars.": (
        " Deine Aufnahme erklingt nicht dazu: Sie enthält die ergänzten Takte nicht."
    ),
    " Invented here ({genre}, seed {seed}, variation {variation}), with its own chords.": (
        " Hier erfunden ({genre}, Startzahl {seed}, Variation {variation}), mit eigenen Akkorden."
    ),
    "{key} major": "{key}-Dur",
    "{key} minor": "{key}-Moll",
    "drums": "Schlagzeug",
    "bass": "Bass",
    "guitar": "Gitarre",
    "strings": "Streicher",
    "piano": "Klavier",
    "melody": "Melodie",
    "you": "Du",
    "none": "keine",
    "count-in": "Einzähler",
    "bars": "zwei Takte der Band",
    "everything that is not locked": "alles, was nicht gesperrt ist",
    "{genre}, seed {seed}": "{genre}, Startzahl {seed}",
    "{what} moved": "{what} bewegt",
    " and ": " und ",
    " or ": " oder ",
    "Making the sound…": "Der Klang entsteht …",
    "Stopped.": "Angehalten.",
    "Models: `{models}`": "Modelle: `{models}`",
    "Models: `{models}`, embedded": "Modelle: `{models}`, mitgeliefert",
    "Open a melody first: a MIDI file, a recording, or one of the examples.": (
        "Öffne zuerst eine Melodie: eine MIDI-Datei, eine Aufnahme oder eines der Beispiele."
    ),
    "Make a take first.": "Mach zuerst eine Fassung.",
    "There is no earlier take.": "Es gibt keine frühere Fassung.",
    "No suggestion: nothing is known of the genres {served}.": (
        "Kein Vorschlag: Über die Genres {served} ist nichts bekannt."
    ),
    "{best} would fit; the others are worth a try, too.": (
        "{best} würde passen; die anderen sind auch einen Versuch wert."
    ),
    "The page's address was not understood: {reason}": (
        "Die Adresse der Seite wurde nicht verstanden: {reason}"
    ),
    "These settings are of a blend or of moved instruments: that take is made again with "
    "their genre and seed.": (
        "Diese Einstellungen gehören zu einer Mischung oder zu bewegten Instrumenten: Jene Fassung "
        "entsteht wieder mit ihrem Genre und ihrer Startzahl."
    ),
    "Your chords are now the melody's own; those of the new bars follow them.": (
        "Deine Akkorde sind nun die der Melodie; die der neuen Takte folgen ihnen."
    ),
    "Your own song is not part of the settings: a take in its style has no settings file "
    "and no address.": (
        "Dein eigenes Stück gehört nicht zu den Einstellungen: Eine Fassung in seinem Stil hat "
        "keine Einstellungsdatei und keine Adresse."
    ),
    "Genre {genre} is unknown; available: {genres}.": (
        "Das Genre {genre} ist unbekannt; es gibt: {genres}."
    ),
    "There is no recording yet: press Record and sing.": (
        "Es gibt noch keine Aufnahme: Drücke auf Aufnehmen und singe."
    ),
    "Something went wrong here, and it has been noted. Try again.": (
        "Hier ging etwas schief, und es wurde vermerkt. Versuche es noch einmal."
    ),
    # Titles of messages
    "Not possible": "Das geht nicht",
    "Note": "Hinweis",
    # One line about each genre
    "Picked steel-string guitar, a calm upright bass and light drums; plain chords.": (
        "Gezupfte Stahlsaitengitarre, ruhiger Kontrabass, leichtes Schlagzeug; schlichte Akkorde."
    ),
    "Distorted guitar, a running bass and busy drums, as in old computer games.": (
        "Verzerrte Gitarre, laufender Bass, lebhaftes Schlagzeug, wie in alten Computerspielen."
    ),
    "Broad guitar chords and held strings over a steady hi-hat; some sevenths.": (
        "Breite Gitarrenakkorde und liegende Streicher über steter Hi-Hat; manche Septakkorde."
    ),
    "Swung: walking upright bass, ride cymbal, nylon-string guitar; many sevenths.": (
        "Swing: Walking Bass, Ride-Becken, Nylonsaitengitarre; viele Septakkorde."
    ),
    "Maracas, cabasa, congas and cowbell under nylon-string guitar; the most sevenths.": (
        "Maracas, Cabasa, Congas und Kuhglocke unter der Nylonsaitengitarre; "
        "die meisten Septakkorde."
    ),
    "Strummed steel-string guitar, fretless bass, drums with maracas and string lines.": (
        "Geschlagene Stahlsaitengitarre, bundloser Bass, Schlagzeug mit Maracas, Streicherlinien."
    ),
    "Distorted guitar in eighths, a driving bass, straight drums and held strings.": (
        "Verzerrte Gitarre in Achteln, treibender Bass, gerades Schlagzeug, liegende Streicher."
    ),
}
