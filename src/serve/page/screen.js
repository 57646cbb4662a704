// A session's screen: draws what the server sends, sends what the user does.
"use strict";

const BUTTONS = 3;
const NOTCH = 100; // pixels of a wheel's notch, and lines:
const NOTCH_LINES = 3;
const LONGEST_TEXT = 8000; // characters that are sent at once
const FIRST_WAIT = 300;
const LONGEST_WAIT = 5000; // between two tries to connect
const LARGEST_POINTER = 128;

const find = (selector) => document.querySelector(selector);
const canvas = find("canvas");
const pen = canvas.getContext("2d", { alpha: false });
const place = find("#place");
const keys = find("textarea");
const state = find("#state");
const dialog = find("dialog");
const path = location.pathname;

let socket = null;
let wait = FIRST_WAIT;
let zoom = 0; // device pixels to a pixel of Lisp; 0: as large as fits
let pointer = null; // its shape
let drawing = Promise.resolve(); // rectangles are drawn in their order
let toCopy = null; // text for the clipboard
let hasTyped = false;
let hasEnded = false;

find("#name").textContent = decodeURIComponent(path.split("/").pop());
document.title = `${find("#name").textContent} - geiko`;

function say(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

// --- the connection

function connect() {
  if (hasEnded) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}${path}/screen`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    wait = FIRST_WAIT;
    state.textContent = "";
  };
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") {
      hear(JSON.parse(data));
    } else {
      draw(data).catch(console.error).then(() => say("drawn"));
    }
  };
  socket.onclose = async () => {
    socket = null;
    dialog.close();
    if (hasEnded) return;
    state.textContent = "The connection is lost. Trying again…";
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
    const answer = await fetch("/list").catch(() => null);
    if (answer?.status === 403) {
      end(await answer.text());
    } else if (answer?.ok) {
      const name = find("#name").textContent;
      const { sessions } = await answer.json();
      if (!sessions.some((session) => session.name === name && session.state === "open")) {
        end("The session has ended.");
      }
    }
  };
}

function end(text) {
  const link = document.createElement("a");
  link.href = "/";
  link.textContent = "All sessions";
  state.replaceChildren(text, document.createElement("br"), link);
  hasEnded = true;
}

function hear(told) {
  if (told === "bell") return ring();
  if (told === "answered") return dialog.close();
  const [[kind, value]] = Object.entries(told);
  if (kind === "cursor") {
    pointer = value;
    showPointer();
  } else if (kind === "ask") {
    find("dialog .problem").textContent = value ? `It was not saved: ${value}` : "";
    say("away");
    if (!dialog.open) dialog.showModal();
  } else if (kind === "copy") {
    toCopy = value;
    copy();
  } else if (kind === "do") {
    obey(value);
  } else if (kind === "end") {
    end(value);
  }
}

// --- the picture

// Browsers decode in threads of their own, so that begins at once.
async function draw(data) {
  const picture = new Blob([new Uint8Array(data, 8)], { type: "image/png" });
  const decoded = createImageBitmap(picture, { colorSpaceConversion: "none" });
  const before = drawing.catch(() => {});
  drawing = decoded.then((bitmap) => before.then(() => paint(data, bitmap)));
  return drawing;
}

function paint(data, bitmap) {
  const [width, height, left, top] = new Uint16Array(data.slice(0, 8));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    fit();
  }
  pen.drawImage(bitmap, left, top);
  bitmap.close();
}

// Device pixels to a pixel of Lisp.
function scale() {
  const ratio = devicePixelRatio || 1;
  const room = Math.min(place.clientWidth / canvas.width, place.clientHeight / canvas.height) * ratio;
  return zoom || (room >= 1 ? Math.floor(room) : room);
}

function fit() {
  const factor = scale() / (devicePixelRatio || 1);
  canvas.style.width = `${canvas.width * factor}px`;
  canvas.style.height = `${canvas.height * factor}px`;
  showPointer();
}

function showPointer() {
  if (!pointer) return;
  const factor = Math.max(1, Math.min(LARGEST_POINTER / 16, Math.round(canvas.clientWidth / canvas.width)));
  const shape = document.createElement("canvas");
  shape.width = shape.height = 16 * factor;
  const ink = shape.getContext("2d");
  ink.fillStyle = pointer.colour;
  pointer.lines.forEach((line, y) => {
    for (let x = 0; x < 16; x++) {
      if (line & (0x8000 >> x)) ink.fillRect(x * factor, y * factor, factor, factor);
    }
  });
  const [x, y] = pointer.spot.map((at) => Math.min(at, 15) * factor + (factor >> 1));
  canvas.style.cursor = `url(${shape.toDataURL()}) ${x} ${y}, default`;
}

function ring() {
  const sound = new AudioContext();
  const tone = sound.createOscillator();
  tone.connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.1);
  tone.onended = () => sound.close();
}

// --- commands

async function obey(command) {
  if (command === "paste") {
    const text = await navigator.clipboard?.readText().catch(() => null);
    if (text) sendText(text);
  } else if (command === "full") {
    if (document.fullscreenElement) {
      document.exitFullscreen();
    } else {
      await document.body.requestFullscreen().catch(() => {});
      // Else the browser keeps control-W and others for itself.
      navigator.keyboard?.lock?.().catch(() => {});
    }
  } else if (command === "larger") {
    zoom = Math.floor(scale()) + 1;
    fit();
  } else if (command === "smaller") {
    zoom = scale() > 1 ? Math.ceil(scale()) - 1 : scale() / 2;
    fit();
  } else if (command === "usual") {
    zoom = 0;
    fit();
  }
}

// Some browsers let pages copy only while a key or button is pressed.
function copy() {
  if (toCopy === null) return;
  const text = toCopy;
  navigator.clipboard?.writeText(text).then(() => {
    if (toCopy === text) toCopy = null;
  }, () => {});
}

for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", () => {
    const command = button.dataset.do;
    if (["break", "copy"].includes(command)) say({ do: command });
    else if (command === "quit") hear({ ask: null });
    else obey(command);
    keys.focus();
  });
}

for (const button of dialog.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    say({ answer: button.value });
    dialog.close();
  });
}
dialog.addEventListener("cancel", () => say({ answer: "cancel" }));
dialog.addEventListener("close", () => keys.focus());

// --- keys

function sendText(text) {
  const characters = [...text];
  while (characters.length) say({ text: characters.splice(0, LONGEST_TEXT).join("") });
}

// Keys of an input method, and of screens, come as text.
const isText = (event) => event.isComposing || ["Dead", "Process", "Unidentified"].includes(event.key);
const isPaste = (event) => event.ctrlKey && event.shiftKey && event.code === "KeyV";

function key(event) {
  if (dialog.open || isText(event) || isPaste(event)) return;
  hasTyped = true;
  copy();
  event.preventDefault();
  const down = event.type === "keydown";
  // Some hosts say control for AltGr.
  if (event.key === "AltGraph" && down) say({ key: ["ControlLeft", "Control", false] });
  say({ key: [event.code || event.key, event.key, down] });
}

addEventListener("keydown", key);
addEventListener("keyup", key);
addEventListener("blur", () => say("away"));
addEventListener("paste", (event) => {
  event.preventDefault();
  sendText(event.clipboardData.getData("text/plain"));
});

function takeText(event) {
  if (event.isComposing) return;
  if (keys.value) sendText(keys.value);
  keys.value = "";
}
keys.addEventListener("input", takeText);
keys.addEventListener("compositionend", () => setTimeout(() => takeText({}), 0));

// --- the mouse

let at = null;
let isMoving = false;

function sendPlace() {
  isMoving = false;
  if (at) say({ at });
  at = null;
}

addEventListener("mousemove", (event) => {
  const box = canvas.getBoundingClientRect();
  const pixel = (offset, size, count) =>
    Math.max(0, Math.min(count - 1, Math.floor((offset / size) * count)));
  at = [
    pixel(event.clientX - box.left, box.width, canvas.width),
    pixel(event.clientY - box.top, box.height, canvas.height),
  ];
  if (!isMoving) {
    isMoving = true;
    requestAnimationFrame(sendPlace);
  }
});

function button(event) {
  const down = event.type === "mousedown";
  if (down && event.target !== canvas) return;
  if (event.target === canvas) event.preventDefault();
  copy();
  keys.focus();
  if (event.button >= BUTTONS) return;
  sendPlace();
  say({ button: [event.button, down] });
}
addEventListener("mousedown", button);
addEventListener("mouseup", button);
canvas.addEventListener("contextmenu", (event) => event.preventDefault());
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const notch = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? NOTCH : NOTCH_LINES;
  say({ wheel: [event.deltaX / notch, -event.deltaY / notch] });
}, { passive: false });

// --- the page

addEventListener("resize", fit);
addEventListener("pagehide", () => say("bye"));
addEventListener("beforeunload", (event) => {
  // Control-W is a key of Lisp's, but most browsers close the tab.
  if (hasTyped && socket) event.preventDefault();
});

keys.focus();
connect();
