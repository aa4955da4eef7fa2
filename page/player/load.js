// Loads the player's modules. It runs after words.js as the body of a function with what Gradio gives to scripts of gr.HTML. In
// place of PLACES stands what live.py tells; paths in it become addresses of Gradio's route for files. The page may lie under a
// prefix.
const root = (window.gradio_config?.root ?? location.href.split(/[?#]/)[0]).replace(/[/]$/, "");
const address = (path) => root + "/gradio_api/file=" + path;
const places = PLACES;
places.scripts = address(places.scripts);
places.sounds = address(places.sounds);
import(places.scripts + "/main.js").then(
  ({ mount }) => mount({ element, props, trigger, watch, server, places, t }),
  (error) => {
    element.querySelector(".status").textContent = t("The player could not be loaded. Reload the page to try again.");
    element.querySelector(".player").hidden = false;
    console.error(error);
  },
);
