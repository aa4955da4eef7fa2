// What Gradio gives to a component's script, and the function of page/words.js that is joined in front.
declare const element: HTMLElement;
declare const props: any;
declare function trigger(name: string, detail?: object): void;
declare function watch(name: string, call: () => void): void;
declare const t: (text: string, values?: object) => string;
