// The start page: images that can be opened, sessions that run or were saved.
"use strict";

const SOON = 3000;

function cell(row, ...content) {
  row.insertCell().append(...content);
}

function element(name, text, action) {
  const made = document.createElement(name);
  made.textContent = text;
  if (action) made.addEventListener("click", action);
  return made;
}

async function ask(path) {
  const answer = await fetch(path, { method: "POST" });
  problem.textContent = answer.ok ? "" : await answer.text();
  return answer.ok && answer.status !== 204 ? answer.json() : null;
}

async function open(path) {
  const opened = await ask(path);
  if (opened) location.assign(`/session/${encodeURIComponent(opened.session)}`);
}

function ago(seconds) {
  for (const [unit, size] of [["days", 86400], ["hours", 3600], ["minutes", 60]]) {
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return "just now";
}

function showSession(session) {
  const row = sessions.insertRow();
  const name = encodeURIComponent(session.name);
  const states = {
    open: `running, ${session.viewers} looking`,
    elsewhere: "running, not in this server",
    saved: `saved ${ago(session.age)}`,
  };
  cell(row, element("b", session.name), " ", element("small", session.image ?? ""));
  cell(row, states[session.state]);
  if (session.state === "open") {
    cell(row,
      element("button", "Open", () => location.assign(`/session/${name}`)), " ",
      element("button", "Save and quit", () => ask(`/quit/${name}`).then(show)));
  } else if (session.state === "saved") {
    cell(row, element("button", "Resume", () => open(`/resume/${name}`)));
  } else {
    cell(row);
  }
}

function showImage(image) {
  const row = images.insertRow();
  cell(row, element("b", image.split("/").pop()), " ", element("small", image));
  cell(row, element("button", "New session", () => open(`/open/${encodeURIComponent(image)}`)));
}

async function show() {
  const answer = await fetch("/list").catch(() => null);
  if (!answer?.ok) {
    problem.textContent = answer ? await answer.text() : "The server does not answer.";
    return;
  }
  const list = await answer.json();
  sessions.replaceChildren();
  images.replaceChildren();
  list.sessions.forEach(showSession);
  list.images.forEach(showImage);
}

const [problem, sessions, images] = ["problem", "sessions", "images"].map((id) => document.getElementById(id));
show();
setInterval(show, SOON);
