/** A text of the page in the browser's language; {name} stands for a value. The table comes from words.py, in the page's head. */
const t = (text, values = {}) =>
  (window.accompWords?.[text] ?? text).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
