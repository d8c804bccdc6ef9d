// Microphone samples at the machine's rate in, frames of 960 samples s16 at 48 kHz out.

const RATE = 48000;
const FRAME = 960;

class Capture extends AudioWorkletProcessor {
  #frame = new Int16Array(FRAME);
  #filled = 0;
  #at = 0; // place of the next output sample, counted in input samples from the last one of the former block
  #last = 0;

  process([input]) {
    const block = input[0];
    if (!block) return true;
    const step = sampleRate / RATE;
    while (this.#at < block.length) {
      const index = Math.floor(this.#at);
      const before = index === 0 ? this.#last : block[index - 1];
      this.#put(before + (block[index] - before) * (this.#at - index));
      this.#at += step;
    }
    this.#at -= block.length;
    this.#last = block[block.length - 1];
    return true;
  }

  #put(sample) {
    this.#frame[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
    if (this.#filled < FRAME) return;
    const whole = this.#frame;
    this.#frame = new Int16Array(FRAME);
    this.#filled = 0;
    this.port.postMessage(whole.buffer, [whole.buffer]);
  }
}

registerProcessor("capture", Capture);
