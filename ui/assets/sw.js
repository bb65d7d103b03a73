// Keeps the shell and the last known state for times without a connection.
//
// Files with a hash in their names are taken from what is kept: they never change. The page itself and the answers that
// the list is made of come from the network whenever that answers, and from what was kept only when it does not. Then
// they say so, in the header that the program looks for. Nothing else of the API passes through here.

const FILES = {{files}};
const SHELL = "shell-{{version}}";
const STATE = "state";
// The questions whose answers are kept, by what they ask for.
const KEPT = /^\{"query":"query (ListServices|ListUptimes|GetMe)\b/;
const KEPT_AT = "x-kept-at";

addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const outdated = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name !== SHELL && name !== STATE).map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(outdated());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "POST" && url.pathname === "/api/graphql") event.respondWith(ask(request));
  else if (request.method === "POST" && url.pathname.endsWith("/logout")) event.waitUntil(caches.delete(STATE));
  else if (request.method !== "GET" || url.pathname.startsWith("/api/")) return;
  else if (request.mode === "navigate") event.respondWith(open(request));
  else if (FILES.includes(url.pathname)) event.respondWith(file(request));
});

async function file(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

async function open(request) {
  try {
    const response = await fetch(request);
    if (response.status < 500) return response;
    return (await caches.match("/", { ignoreVary: true })) ?? response;
  } catch (cause) {
    const kept = await caches.match("/", { ignoreVary: true });
    if (kept) return kept;
    throw cause;
  }
}

async function ask(request) {
  const body = await request.clone().text();
  const name = KEPT.exec(body)?.[1];
  if (!name) return fetch(request);
  const { after } = JSON.parse(body).variables ?? {};
  // Each page of a list is kept by its cursor.
  const key = `/kept/${name}` + (after ? `?after=${encodeURIComponent(after)}` : "");
  try {
    const response = await fetch(request);
    if (response.status >= 500) return (await kept(key)) ?? response;
    keep(key, response.clone());
    return response;
  } catch (cause) {
    const answer = await kept(key);
    if (answer) return answer;
    throw cause;
  }
}

/** Keeps an answer; when it says that nobody is signed in, or somebody else, nothing is kept of before. */
async function keep(key, response) {
  const text = await response.text();
  if (response.status === 401 || text.startsWith('{"data":{"me":null')) return caches.delete(STATE);
  if (!response.ok || text.includes('"errors":[')) return;
  const who = /^{"data":{"me":{"id":"[^"]+"/.exec(text)?.[0];
  const before = who && (await (await kept(key))?.text());
  if (before && !before.startsWith(who)) await caches.delete(STATE);
  // A first page begins a new list: the other pages of the one before are not part of it.
  if (!key.includes("?")) await forgetPages(key);
  const headers = { "content-type": "application/json", [KEPT_AT]: new Date().toISOString() };
  await (await caches.open(STATE)).put(key, new Response(text, { headers }));
}

async function forgetPages(key) {
  const cache = await caches.open(STATE);
  const pages = (await cache.keys()).filter(({ url }) => url.includes(`${key}?`));
  await Promise.all(pages.map((page) => cache.delete(page)));
}

async function kept(key) {
  return (await caches.open(STATE)).match(key);
}
