// Who wants to know what happened in this page: "answer", "events", "basket", "visitor".

const target = new EventTarget();

export const announce = (name, detail) => target.dispatchEvent(new CustomEvent(name, { detail }));
export const listen = (name, listener) => target.addEventListener(name, (event) => listener(event.detail));
