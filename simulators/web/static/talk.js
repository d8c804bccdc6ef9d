// The talk button's voice: the browser's microphone as 20 ms frames of 48 kHz mono s16, or nothing for the recording.

export class Talker {
  #say; #frame; #press; #release; #capture;

  constructor({ say, frame, press, release }) {
    this.pressed = false;
    this.#say = say;
    this.#frame = frame;
    this.#press = press;
    this.#release = release;
  }

  async press(source) {
    if (this.pressed) return;
    this.pressed = true;
    if (source === "browser" && !(await this.#openMicrophone())) {
      this.pressed = false;
      return;
    }
    if (this.pressed) this.#press(source); // the finger may have gone while the browser asked
    else await this.#closeMicrophone();
  }

  async release() {
    if (!this.pressed) return;
    this.pressed = false;
    this.#release();
    await this.#closeMicrophone();
  }

  // The line broke: the device has let go by itself.
  forget() {
    this.pressed = false;
    this.#closeMicrophone();
  }

  async #openMicrophone() {
    this.#say(null);
    try {
      const asked = { echoCancellation: true, noiseSuppression: true, channelCount: 1 };
      const stream = await navigator.mediaDevices.getUserMedia({ audio: asked });
      const context = new AudioContext();
      this.#capture = { stream, context };
      await context.audioWorklet.addModule("/static/capture_worklet.js");
      const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
      node.port.onmessage = (event) => this.#frame(event.data);
      context.createMediaStreamSource(stream).connect(node);
      await context.resume();
      return true;
    } catch (error) {
      await this.#closeMicrophone();
      this.#say(error.name === "NotFoundError" ? "microphone_missing" : "microphone_refused");
      return false;
    }
  }

  async #closeMicrophone() {
    const capture = this.#capture;
    this.#capture = null;
    if (!capture) return;
    for (const track of capture.stream.getTracks()) track.stop();
    await capture.context.close();
  }
}
