"""Takes have names that tell them apart."""

from accomp.project.choices import BAND, Blend
from accomp.project.settings import Settings
from page.naming import LONGEST_NAME, named, remade


def test_a_name_tells_the_melody_the_genre_and_what_is_special():
    assert named("ode_to_joy", Settings(genre="jazz", seed=3), ()) == "Ode to joy · Jazz"
    special = Settings(
        chords="| C |",
        intro="count-in",
        instruments=("drums", "bass"),
        styles=(("bossa_nova", 1.0),),
        blend=Blend("rock", 1, 0.25),
        explore={"bass": {"density": -1.0, "variety": 0.5}},
    )
    assert named("x", special, (), ["bar 3 anew"]).startswith("X · Pop: bar 3 anew, 25 % towards")
    for settings, words in (
        (Settings(chords="| C |"), "your chords"),
        (Settings(colour=0.9), "richer chords"),
        (Settings(colour=0.1), "plainer chords"),
        (Settings(intro="bars"), "with introduction"),
        (Settings(instruments=("drums", "bass")), "without guitar and strings"),
        (Settings(styles=(("bossa_nova", 1.0),)), "like bossa nova"),
        (Settings(blend=Blend("rock", 1, 0.25)), "25 % towards Rock"),
        (Settings(explore={"bass": {"density": -1.0}}), "sparser bass"),
        (Settings(explore={"bass": {"variety": 0.5}}), "bass with more pitches"),
    ):
        assert named("x", settings, ()) == f"X · Pop: {words}"


def test_no_two_names_are_the_same():
    names = []
    for _ in range(4):
        names.append(named("ode", Settings(), names))
    assert names == ["Ode · Pop", "Ode · Pop, 2", "Ode · Pop, 3", "Ode · Pop, 4"]
    assert named("ode", Settings(), names[1:]) == "Ode · Pop"  # the first was deleted


def test_a_long_name_is_cut():
    first = named("a" * 300, Settings(), ())
    second = named("a" * 300, Settings(), [first])
    assert len(first) <= LONGEST_NAME and len(second) <= LONGEST_NAME and first != second


def test_what_was_made_anew_is_said():
    assert remade([], BAND, (3, 4)) == "bars 3–4 anew"
    assert remade(["drums"], BAND, (3, 3)) == "bar 3 anew, drums kept"
    assert remade(["drums", "bass"], BAND, None) == "drums and bass kept"
    assert remade(["drums", "guitar", "strings"], BAND, None) == "only bass anew"
    assert remade(["piano", "recording"], BAND, None) == ""  # the melody always stays
