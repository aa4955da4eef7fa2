// Says in words when there is no microphone. Gradio runs this as the body of a function that is given element.

const hint = element.querySelector(".microphone-hint");

async function look() {
  const { mediaDevices } = navigator;
  if (!mediaDevices?.enumerateDevices) {
    hint.textContent = t("The microphone is not available: it needs a current browser and an address with https.");
    return;
  }
  const devices = await mediaDevices.enumerateDevices();
  const isThere = devices.some((device) => device.kind === "audioinput");
  hint.textContent = isThere ? "" : t("No microphone was found. Plug one in, or drop a file instead.");
}

navigator.mediaDevices?.addEventListener("devicechange", look);
look();
