// @ts-check
// A worker that fetches instruments and unpacks them, so that neither the page nor the sound has to wait.

import { unpacked } from "./sf2.js";
// @ts-ignore  a file of the package stb-vorbis, which lies beside this one when the page is served
import { StbVorbis } from "./stb-vorbis.js";

/** @param {Uint8Array} data */
const decode = (data) => StbVorbis.decode(data).channels[0];

onmessage = async ({ data: { key, url } }) => {
  try {
    await StbVorbis.ready;
    // The name changes with the content: what the browser has kept is never out of date.
    const answer = await fetch(url, { cache: "force-cache" });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const data = unpacked(await answer.arrayBuffer(), decode);
    postMessage({ key, data }, { transfer: [data] });
  } catch (error) {
    postMessage({ key, fault: error instanceof Error ? error.message : String(error) });
  }
};
