// The village's loudspeaker in the browser: frames of 48 kHz mono s16 from a socket into an AudioWorklet.

export class Listener {
  #url; #level; #state; #playing;

  constructor({ url, level, state }) {
    this.#url = url;
    this.#level = level;
    this.#state = state;
  }

  async toggle() {
    if (this.#playing) await this.#stop();
    else await this.#start();
  }

  async #start() {
    const context = new AudioContext({ sampleRate: 48000, latencyHint: "playback" });
    const playing = { context, wanted: true };
    this.#playing = playing;
    this.#state(true);
    await context.audioWorklet.addModule("/static/playback_worklet.js");
    await context.resume();
    const node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    node.port.onmessage = (event) => this.#level(event.data);
    node.connect(context.destination);
    this.#connect(playing, node);
  }

  #connect(playing, node) {
    if (!playing.wanted) return;
    const socket = new WebSocket(this.#url);
    playing.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => node.port.postMessage(event.data, [event.data]);
    socket.onclose = () => setTimeout(() => this.#connect(playing, node), 1000);
  }

  async #stop() {
    const playing = this.#playing;
    this.#playing = null;
    playing.wanted = false;
    playing.socket?.close();
    await playing.context.close();
    this.#level(-60);
    this.#state(false);
  }
}
