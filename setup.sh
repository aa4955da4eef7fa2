#!/bin/sh
# Sets up everything: FluidSynth and a soundfont from the system's packages, Python packages in .venv, and what the page's
# player needs: its synthesizer from npm, and its instruments, cut out of the soundfont.
#   ./setup.sh         what the models, the command line and the page need
#   ./setup.sh dev     and what training and the tests need, a browser for those of the page among it
set -eu
cd "$(dirname "$0")"

has() { command -v "$1" >/dev/null 2>&1; }

apt_install() {
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo"
    $as_root apt-get update -q || true
    $as_root apt-get install -y -q --no-install-recommends "$@"
}

if ! has fluidsynth || { has apt-get && [ ! -e /usr/share/sounds/sf2/FluidR3_GM.sf2 ]; }; then
    if has apt-get; then
        # shellcheck disable=SC2046
        apt_install python3-venv $(cat packages.txt) || echo "setup: no FluidSynth; everything but the sound will work" >&2
    elif has brew; then
        # Homebrew has no General MIDI soundfont; the small one inside the pretty_midi package serves.
        brew install fluid-synth || echo "setup: no FluidSynth; everything but the sound will work" >&2
    else
        echo "setup: install FluidSynth yourself to get sound; everything else works without it" >&2
    fi
fi
has_browser() { has chromium || has chromium-browser || has google-chrome; }
if [ "${1:-}" = dev ] && ! has_browser && has apt-get; then
    apt_install chromium || echo "setup: no chromium; the page will not be tested in a browser" >&2
fi
# For the main path in Firefox and WebKit; PulseAudio is their sound card where there is none.
if [ "${1:-}" = dev ] && has apt-get && ! { has firefox-esr && has WebKitWebDriver && has Xvfb && has pulseaudio; }; then
    apt_install firefox-esr webkit2gtk-driver xvfb pulseaudio || echo "setup: the page will be tested in chromium alone" >&2
fi

python=${PYTHON:-python3}
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install -q --disable-pip-version-check -r requirements.txt
if [ "${1:-}" = dev ]; then
    .venv/bin/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
fi

player="the page's player will get its sound from the server"
if ! has npm && has apt-get; then apt_install npm || true; fi
if has npm; then
    omit="--omit=dev"
    [ "${1:-}" != dev ] || omit=""
    # shellcheck disable=SC2086
    (cd page/player && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error $omit) || echo "setup: npm failed; $player" >&2
    .venv/bin/python -m page.player.live || echo "setup: no soundfont; $player" >&2
else
    echo "setup: no npm; $player" >&2
fi
