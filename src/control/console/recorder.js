// Runs beside the page, on the sound's own thread: hands on what the microphone gives, in pieces of some milliseconds.

const PIECE = 1024;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Float32Array(PIECE);
    this.length = 0;
  }

  process([input]) {
    const samples = input[0];
    if (!samples) return true;
    for (const sample of samples) {
      this.piece[this.length++] = sample;
      if (this.length === PIECE) {
        this.port.postMessage(this.piece.slice());
        this.length = 0;
      }
    }
    return true;
  }
}

registerProcessor('recorder', Recorder);
