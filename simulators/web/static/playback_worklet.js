// A jitter buffer of about 200 ms: plays when enough has come, waits again when it ran dry, skips when it grew too long.

const START = 9600;
const LONGEST = 28800;
const REPORT = 4800;

class Playback extends AudioWorkletProcessor {
  #ring = new Float32Array(96000);
  #read = 0;
  #write = 0;
  #flowing = false;
  #energy = 0;
  #counted = 0;

  constructor() {
    super();
    this.port.onmessage = (event) => this.#take(new Int16Array(event.data));
  }

  #take(frame) {
    for (const sample of frame) this.#ring[this.#write++ % this.#ring.length] = sample / 32768;
    const held = this.#write - this.#read;
    if (held > LONGEST) this.#read = this.#write - START;
    if (held >= START) this.#flowing = true;
  }

  process(_inputs, [[output]]) {
    for (let index = 0; index < output.length; index++) {
      if (this.#read >= this.#write) this.#flowing = false;
      const sample = this.#flowing ? this.#ring[this.#read++ % this.#ring.length] : 0;
      output[index] = sample;
      this.#energy += sample * sample;
    }
    this.#counted += output.length;
    if (this.#counted >= REPORT) this.#report();
    return true;
  }

  #report() {
    this.port.postMessage(10 * Math.log10(this.#energy / this.#counted + 1e-12));
    this.#energy = 0;
    this.#counted = 0;
  }
}

registerProcessor("playback", Playback);
