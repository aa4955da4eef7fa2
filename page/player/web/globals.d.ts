// What the audio thread has and TypeScript's library for pages does not know.

declare const sampleRate: number;
declare const currentTime: number;
declare const AudioWorkletGlobalScope: { wasmModule: any };
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
