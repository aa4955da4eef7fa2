// Loads the recorder's modules. It runs after words.js as the body of a function with what Gradio gives to scripts of gr.HTML. In
// place of PLACES stands what live.py tells; paths in it become addresses of Gradio's route for files. The page may lie under a
// prefix.
const root = (window.gradio_config?.root ?? location.href.split(/[?#]/)[0]).replace(/[/]$/, "");
const address = (path) => root + "/gradio_api/file=" + path;
const places = PLACES;
places.scripts = address(places.scripts);
places.sounds = address(places.sounds);
import(places.scripts + "/recorder.js").then(
  ({ mount }) => mount({ element, props, trigger, upload, server, places, t }),
  (error) => {
    element.firstElementChild.textContent = t("The recorder could not be loaded. Reload the page to try again.");
    console.error(error);
  },
);
