"""The Accompanist: five VAEs, four HarmonyNNs and a chord planner of one genre, and the way from melody to band.

Letters: B blocks of a song, H half bars of a block (4), Z and K latent sizes.
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Music Generation".
"""

import json
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import PyTorchModelHubMixin
from safetensors.torch import save_file
from torch import Tensor, nn

from accomp import arrangement, chord_text, harmony, hub, opening, pianoroll, voicing
from accomp.chord_text import ChordSymbol, of_triad
from accomp.chords import COUNT, TRIADS
from accomp.config import CONFIG_FILE, WEIGHTS_FILE, AccompanistConfig, ModelError
from accomp.errors import MusicError
from accomp.feel import Feel, Tune, played_times
from accomp.grid import (
    ACCOMPANIMENT,
    BASS,
    BLOCK_HALF_BARS,
    DRUMS,
    HALF_BAR_STEPS,
    MELODY,
    TRACK_NAMES,
    TRACKS,
)
from accomp.harmony import HarmonyNN
from accomp.lead import Lead
from accomp.melody import melody_name
from accomp.planner import ChordPlanner
from accomp.retake import Retake
from accomp.score import Chord, Note, Score, Track
from accomp.shape import Shape
from accomp.tonality import Key
from accomp.vae import InstrumentVAE

COLOURS = (0, 10, 11)  # semitones above the root of the tone that is added to a triad: none, minor or major seventh
QUALITY = {(0, 0): "", (0, 1): "m", (1, 0): "7", (1, 1): "m7", (2, 0): "maj7", (2, 1): "m"}  # by colour and minor
# A plan's chord has its colour throughout a song. Sevenths outside of the key, which songs have in passing, are made rarer.
IN_KEY = np.isin((np.arange(COUNT)[:, None] % 12 + np.array(COLOURS)) % 12, [0, 2, 4, 5, 7, 9, 11])
RARER = np.where(IN_KEY | (np.array(COLOURS) == 0), 1.0, 0.2)
DRUMS_CHANGE = 0.5  # how likely drums begin anew with a new section
FILL_CHANCE = 0.5  # of a drum fill at the end of a phrase that is followed by one like it


class Accompanist(
    nn.Module,
    PyTorchModelHubMixin,
    library_name=hub.LIBRARY,
    tags=[hub.LIBRARY, "music", "midi", "symbolic-music", "music-generation", "accompaniment", "variational-autoencoder"],
    license="mit",
    repo_url=hub.code(hub.namespace()[0]) if hub.namespace()[0] else None,
    model_card_template=hub.CARD,
):
    """One genre's models. `from_pretrained(source)` loads them, `accompany(melody)` uses them."""

    def __init__(self, config: AccompanistConfig):
        super().__init__()
        self.config = config
        self.source: hub.Source | None = None  # where the models were loaded from
        latents = {name: vae.latent for name, vae in config.vaes.items()}
        self.vaes = nn.ModuleDict({name: InstrumentVAE(config.vaes[name]) for name in TRACK_NAMES})
        self.harmony = nn.ModuleDict(
            {
                TRACK_NAMES[track]: HarmonyNN(
                    config.harmony,
                    latents["piano"],
                    latents[TRACK_NAMES[track]],
                    [latents[TRACK_NAMES[other]] for other in harmony.heard_before(track)],
                )
                for track in ACCOMPANIMENT
            }
        )
        self.planner = ChordPlanner(config.planner) if config.planner else None
        self.feel = Feel(config.feel)
        # How often each chord of the plan is played with each of COLOURS.
        plain = torch.zeros(COUNT, len(COLOURS))
        plain[:, 0] = 1
        self.register_buffer("colours", plain)
        self.eval()

    # Saving and loading

    @property
    def device(self) -> torch.device:
        return self.colours.device

    @property
    def genre_index(self) -> int:
        """Of this genre among those that the HarmonyNNs know."""
        known = self.config.harmony.genres
        return known.index(self.config.genre) if self.config.genre in known else 0

    def _save_pretrained(self, save_directory: Path) -> None:
        """config.json and half-precision model.safetensors; each appears whole or not at all."""
        weights = {name: _half(value).cpu().contiguous() for name, value in self.state_dict().items()}
        temporary = save_directory / f".{WEIGHTS_FILE}.part"
        save_file(weights, temporary, metadata={"format": "pt"})
        temporary.chmod(0o644)
        temporary.replace(save_directory / WEIGHTS_FILE)
        self.config.weights_sha256 = hub.digest(save_directory / WEIGHTS_FILE)
        temporary = save_directory / f".{CONFIG_FILE}.part"
        temporary.write_text(json.dumps(asdict(self.config), indent=1) + "\n")
        temporary.replace(save_directory / CONFIG_FILE)

    def push_to_hub(self, repo_id: str, **settings) -> str:
        """Save to a repository on the Hub, with a short card, and return the commit's URL; settings: of
        `PyTorchModelHubMixin.push_to_hub` (private, token, branch ...). `train.push` writes the whole card, with figures."""
        known = {"repo_id": repo_id, "genre": self.config.genre, "code": hub.code(repo_id.split("/")[0])}
        return super().push_to_hub(repo_id, **settings | {"model_card_kwargs": known | (settings.get("model_card_kwargs") or {})})

    @classmethod
    def from_pretrained(
        cls, source: str | Path, revision: str | None = None, device: str | None = None, **download
    ) -> "Accompanist":
        """The models in a folder ("models/jazz"), of a genre by its name ("jazz", see accomp.hub), or of a Hub repository
        ("user/accomp-jazz").

        revision: branch, tag or commit of the Hub repository; device: "cpu" or "cuda", by default the GPU where there is
        one; **download: further arguments of `huggingface_hub.snapshot_download` (token, cache_dir, local_files_only ...).
        `source` of the result says where its models came from. Raises ModelError where something is missing, superfluous,
        misshapen, damaged or not safetensors.
        """
        found, config, weights = hub.load(source, revision, **download)
        try:
            model = cls(config)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(f"{found}: {CONFIG_FILE} does not make a model: {type(error).__name__}: {error}") from error
        expected = model.state_dict()
        wrong = [f"{name} is missing" for name in sorted(expected.keys() - weights.keys())]
        wrong += [f"{name} is unknown" for name in sorted(weights.keys() - expected.keys())]
        wrong += [
            f"{name} is {list(weights[name].shape)} instead of {list(expected[name].shape)}"
            for name in sorted(expected.keys() & weights.keys())
            if expected[name].shape != weights[name].shape
        ]
        if wrong:
            raise ModelError(f"{found}: {WEIGHTS_FILE} does not fit {CONFIG_FILE}: {wrong[0]} (of {len(wrong)} such weights)")
        model.load_state_dict(weights)
        model.source = found
        return model.to(device or ("cuda" if torch.cuda.is_available() else "cpu")).eval()

    # From melody to band

    def accompany(
        self, score: Score, *, seed: int = 0, variation: float = 0.0, melody_track: int | None = None,
        chords: str | list[Chord] | None = None, key: str | Key | None = None, shape: bool = True, feel: bool = True,
        intro: str = "none", instruments: Collection[str] | None = None,
        take: Score | None = None, keep: Collection[str] = (), span: tuple[float, float] | None = None,
    ) -> Score:  # fmt: skip
        """The melody of `score` with a band: five tracks in the order of TRACKS, the piano playing the melody's very notes.

        seed: another one gives other music; variation: standard deviation of the noise added to the band's latents, which
        are about of unit scale (Tham & Kim 2021 liked 0.5 to 1.0); melody_track: index of the melody in `score.tracks`, else
        chosen (`melody.choose_melody`); chords: what to play, as text ("| C  Am | F  G7 |", see accomp.chord_text) or as the
        `chords` of an earlier result, edited (their onsets count from where the result begins); else planned; key: of the
        melody, such as "A minor", else estimated; shape: phrases that return, build, lead on with fills and come to an end,
        else every block just follows from the one before; feel: dynamics, swing and timing of the genre's players, else its
        mean velocities, on the grid; intro: "none", "count-in" (a bar of clicks) or "bars" (two bars of the band), either of
        which moves the melody later; instruments: who plays beside the piano, of drums, bass, guitar and strings; by default all;
        take: an earlier result for the same melody and introduction, of which the tracks named
        in `keep`, and all that lies outside of `span` (beats of the song), stay note for note, and the chords, too: the rest is
        made anew. Whoever is not among `instruments` is silent in any case.
        Raises MusicError where there is no melody or an argument is out of range.
        """
        if not 0 <= variation <= 4:
            raise MusicError(f"variation is {variation}; accepted: 0 to 4")
        if not 0 <= seed < 2**63:
            raise MusicError(f"seed is {seed}; accepted: 0 to 2^63 - 1")
        if chords is not None and self.planner is None:
            raise MusicError(f"the models of {self.config.genre} know no chords; leave `chords` out")
        if take is None and (keep or span):
            raise MusicError("`keep` and `span` need a `take`, the earlier result that they are about")
        silent = _silent(instruments)
        lead = Lead.of(score, melody_track, key=key)
        notices = list(score.notices)
        if len(score.tracks) > 1:
            notices.append(f"melody: {melody_name(score, lead.index)}{' (as asked)' if melody_track is not None else ''}")
        score, lead = opening.make_room(score, lead, intro)
        generator, random = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
        blocks = pianoroll.to_blocks(lead.planes)
        form = Shape.of(blocks, lead.first_block, random, self.config.repeat) if shape else Shape.bare(len(blocks))
        retake = Retake.of(take, keep, span, lead) if take else None
        if take and chords is None and self.planner:
            chords = take.chords
        if chords is None:
            symbols = self.plan(lead, form, random, ending=shape)
        else:
            given, remarks = chord_text.plan_of(chords, score, lead.track, lead.grid)
            symbols = [symbol.transposed(-lead.shift) for symbol in given]
            notices += remarks
        symbols[: opening.half_bars(lead)] = opening.turnaround(lead)
        band = self.play(lead, symbols, form, generator, variation, retake, silent)
        if shape:
            band = arrangement.end_together(band, symbols, lead.final_step, lead.end)
        band = {t: notes if t == DRUMS else arrangement.in_range(notes, lead.shift, t) for t, notes in band.items()}
        if shape:
            band = arrangement.ground(band, lead.final_step)
        tune = Tune.of(lead.line, lead.grid)
        tracks = []
        for track, spec in enumerate(TRACKS):
            program = self.config.programs.get(spec.name, spec.program)
            if track == MELODY:
                tracks.append(Track(spec.name, program, False, list(lead.track.notes), list(lead.track.controls)))
                continue
            notes = self._perform(band[track], track, lead, tune, seed, feel) if track not in silent else []
            if retake and track not in silent:
                notes = retake.splice(track, notes, lead)
            tracks.append(Track(spec.name, program, track == DRUMS, notes))
        if intro == "count-in":
            tracks[DRUMS].notes[:0] = opening.clicks(score, lead)
        named = _named([symbol.transposed(lead.shift) for symbol in symbols], lead) if self.planner else []
        return Score(tracks, list(score.tempos), list(score.meters), score.resolution, named, notices)

    def plan(self, lead: Lead, form: Shape, random: np.random.Generator, ending: bool = True) -> list[ChordSymbol]:
        """The chord plan of a melody: one symbol each half bar, in its normal key; C throughout where the models know no chords.
        Each of its chords has one colour, drawn as often as the genre plays it so. ending: whether the last chord shall be
        the tonic."""
        if self.planner is None:
            return [of_triad(0)] * (lead.grid.steps // HALF_BAR_STEPS)
        plan = self.planner.plan(lead.planes, form.source, form.closes, lead.key.is_minor)
        pickup = lead.grid.beats[: lead.grid.steps : HALF_BAR_STEPS] < lead.first_whole_bar - 1e-6
        if not pickup.all():
            plan[pickup] = plan[~pickup][0]  # a pickup has the chord that it leads to
        final = lead.final_step // HALF_BAR_STEPS if ending else len(plan)
        chances = self.colours.double().cpu().numpy() * RARER
        qualities = [QUALITY[random.choice(len(COLOURS), p=row / row.sum()), int(c >= 12)] for c, row in enumerate(chances)]
        symbols = [of_triad(chord, qualities[chord] if self.config.colours else None) for chord in plan[:final]]
        return symbols + [of_triad(_final_chord(int(plan[min(final, len(plan) - 1)]), lead))] * (len(plan) - final)

    @torch.no_grad()
    def play(
        self, lead: Lead, symbols: list[ChordSymbol], form: Shape, generator: torch.Generator, variation: float = 0.0,
        retake: Retake | None = None, silent: Collection[int] = (),
    ) -> dict[int, np.ndarray]:  # fmt: skip
        """What the band plays to a melody and a chord each half bar: by track, notes [n, 3] in steps, in the normal key.
        retake: what of an earlier take is to be heard, and played about as it was; silent: tracks that nobody hears."""
        plan = np.array([symbol.triad for symbol in symbols])
        blocks = torch.from_numpy(pianoroll.to_blocks(lead.planes)).to(self.device)
        by_block = torch.from_numpy(plan.reshape(-1, BLOCK_HALF_BARS)).to(self.device)
        kept = {}
        if retake:
            stay = retake.blocks(lead)
            for track, heard in retake.heard(lead).items():
                of_take = self.encode(track, torch.from_numpy(heard).to(self.device), by_block)
                kept |= {(track, block): of_take[block] for block in np.flatnonzero(stay[track])}
        for track in silent:
            nothing = torch.zeros(self.vaes[TRACK_NAMES[track]].config.latent + 1, device=self.device)
            kept |= {(track, block): nothing for block in range(len(blocks))}
        latents = self.choose_latents(blocks, by_block, form, generator, kept)
        fills = self.choose_fills(form, generator)
        band = {}
        for track in ACCOMPANIMENT:
            vae, chosen = self.vaes[TRACK_NAMES[track]], latents[track]
            noise = torch.randn(chosen.shape[0], chosen.shape[1] - 1, generator=generator).to(self.device)
            probabilities = vae.decode(chosen[:, :-1] + variation * noise, by_block) * chosen[:, -1:, None, None]
            played = vae.binarise(probabilities)
            if track == DRUMS:
                for block, fill in fills.items():
                    if played[block].any():
                        played[block, :, -HALF_BAR_STEPS:] = vae.binarise(vae.decode(fill, by_block[:1]))[0, :, -HALF_BAR_STEPS:]
            notes = pianoroll.from_planes(pianoroll.from_blocks(played.cpu().numpy()))
            if self.config.planner and len(notes) and track != DRUMS:
                notes = arrangement.strike_again(notes, arrangement.LONGEST[track])
                if track == BASS:
                    notes = voicing.bass_notes(arrangement.monophonic(notes), symbols)
                else:
                    notes = arrangement.thin_out(notes, arrangement.MOST_VOICES[track])
                    notes = arrangement.lead_voices(notes, plan, arrangement.CENTRE[track])
                    notes = voicing.colour(notes, symbols)
            band[track] = notes[notes[:, 1] < lead.end]
        if self.config.planner and self.config.agree:
            band |= voicing.agree({track: notes for track, notes in band.items() if track != DRUMS}, symbols)
        return band

    @torch.no_grad()
    def choose_latents(
        self, blocks: Tensor, plan: Tensor, form: Shape, generator: torch.Generator,
        kept: dict[tuple[int, int], Tensor] | None = None,
    ) -> dict[int, Tensor]:  # fmt: skip
        """By track, the band's latents and flags [B, K + 1] for melody blocks [B, 2, 32, 128] under a plan [B, H]. The first
        networks play where the song or a section begins, and for an instrument that has rested long enough. kept: latents
        [K + 1] by track and block that are not chosen."""
        kept = kept or {}
        config = self.config
        count = len(blocks)
        melody = self.encode(MELODY, blocks, plan)[:, :-1]
        latents = {t: melody.new_zeros(count, config.vaes[TRACK_NAMES[t]].latent + 1) for t in ACCOMPANIMENT}
        for block in range(count):
            earlier = int(form.source[block])
            for track in ACCOMPANIMENT:
                name = TRACK_NAMES[track]
                if (track, block) in kept:
                    latents[track][block] = kept[track, block]
                    continue
                waits = track in form.rests and form.rests[track][block]
                if waits:
                    continue
                # What returns is played again, but not where it is what was to be made anew.
                returns = earlier >= 0 and (track, earlier) not in kept
                if returns and not (track in form.rests and form.rests[track][earlier]):
                    latents[track][block] = latents[track][earlier]
                    continue
                rest = min(block, config.longest_rest)
                rested = rest == config.longest_rest and not latents[track][block - rest : block, -1].any()
                waited = block > 0 and track in form.rests and form.rests[track][block - 1]
                is_last = block == count - 1 and block > 0
                opens = form.opens[block]
                if opens and block and track == DRUMS:
                    # A drummer often keeps the beat where others begin a new section.
                    opens = torch.rand((), generator=generator) < DRUMS_CHANGE
                step = "last" if is_last else "first" if opens or rested or waited else "middle"
                at, of = torch.tensor([[block], [count]], device=melody.device)
                heard = harmony.heard_at(step, at, of, melody, latents, track, plan, self.genre_index)
                apart, sparsest = None, harmony.NEVER
                if step == "first":
                    sparsest = config.sparsest
                    if block and latents[track][block - 1, -1] > 0:
                        apart = latents[track][block - 1, :-1], config.contrast
                    heard.previous = harmony.forget(heard.previous, torch.ones(1, dtype=torch.bool, device=at.device))
                latents[track][block] = self.harmony[name].choose(
                    step, heard, generator, config.temperature, config.top_p, config.steadiness.get(name, 0.0),
                    config.push * (2 * float(form.energy[block]) - 1), config.variety.get(name, 0.0), apart, sparsest,
                )[0]  # fmt: skip
        return latents

    def choose_fills(self, form: Shape, generator: torch.Generator) -> dict[int, Tensor]:
        """By block that ends a phrase, a drum latent [1, K] whose last half bar is to be played there; where the song goes
        on into another section always, else by chance."""
        fills = {}
        for block in np.flatnonzero(form.closes[:-1]):
            new = form.labels[block + 1] != form.labels[block]
            fill = self.harmony[TRACK_NAMES[DRUMS]].draw_fill(generator)
            if fill is not None and (torch.rand((), generator=generator) < (1.0 if new else FILL_CHANCE)):
                fills[int(block)] = fill
        return fills

    @torch.no_grad()
    def encode(self, track: int, blocks: Tensor, plan: Tensor) -> Tensor:
        """Latent means and flags [B, K + 1] of a track's blocks [B, 2, 32, 128] under a plan [B, H]. With the codebook head
        a silent block is zeros with flag 0; with the published regression it is what the VAE makes of silence."""
        mean, _ = self.vaes[TRACK_NAMES[track]].encode(blocks, plan)
        active = blocks.flatten(1).any(1).to(mean.dtype)[:, None]
        if self.config.harmony.head == "regression":
            active = torch.ones_like(active)
        return torch.cat([mean * active, active], dim=1)

    def _perform(
        self, notes: np.ndarray, track: int, lead: Lead, tune: Tune, seed: int, feel: bool
    ) -> list[Note]:
        """Notes in beats, cut at the melody's end: as players of the genre play them, or without feel on the grid."""
        grid, end = lead.grid, lead.track.end
        notes = arrangement.without_unisons(notes)
        notes = notes[np.lexsort((notes[:, 0], notes[:, 1]))]
        notes = notes[grid.present[notes[:, 1]]]
        offsets = np.zeros(len(notes))
        if feel:
            # Streams of their own: a note more in one track or chord moves no other.
            velocities = self.feel.velocities(notes, track, tune, np.random.default_rng([seed, track, 0]))
            offsets = self.feel.offsets(notes, track, tune, np.random.default_rng([seed, track, 1]))
            offsets[notes[:, 1] >= lead.final_step] = 0  # the band ends as one
        else:
            velocities = self.feel.plain_velocities(notes, track, tune)
        played = []
        last_beat = grid.beats[grid.nearest_step(end)] - 1e-9  # what sounds to the last step sounds to the melody's very end
        for (pitch, _, last), (onset, stop), velocity in zip(notes, played_times(notes, offsets, grid), velocities):
            stop = end if grid.beats[last] >= last_beat else min(stop, end)
            if stop - onset > 1e-9:
                played.append(Note(int(pitch), float(onset), float(stop - onset), int(velocity)))
        return played


def _silent(instruments: Collection[str] | None) -> set[int]:
    """The tracks of the band that don't play. Raises MusicError."""
    names = [TRACK_NAMES[track] for track in ACCOMPANIMENT]
    unknown = set(instruments or ()) - set(names)
    if unknown:
        raise MusicError(f"there is no instrument {sorted(unknown)[0]!r}; accepted: {', '.join(names)}")
    return set() if instruments is None else {track for track in ACCOMPANIMENT if TRACK_NAMES[track] not in instruments}


def _final_chord(planned: int, lead: Lead) -> int:
    """The tonic, in the normal key, unless the melody's last note is not in it; then the relative key's; else as planned."""
    last = (lead.line[-1].pitch - lead.shift) % 12
    c_major, a_minor = 0, 21
    tonics = (a_minor, c_major) if lead.key.is_minor else (c_major, a_minor)
    return next((tonic for tonic in tonics if TRIADS[tonic, last]), planned)


def _named(symbols: list[ChordSymbol], lead: Lead) -> list[Chord]:
    """Chords with onsets in beats, one where they change."""
    named: list[Chord] = []
    beats, end = lead.grid.beats, lead.track.end
    for half_bar, symbol in enumerate(symbols):
        first, last = beats[half_bar * HALF_BAR_STEPS], beats[(half_bar + 1) * HALF_BAR_STEPS]
        if first < end - 1e-9 and last > first and (not named or named[-1].symbol != str(symbol)):
            named.append(Chord(float(first), str(symbol)))
    return named


def _half(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value
