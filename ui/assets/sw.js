// The service worker: caches the app shell and the last known state for use without a connection.
//
// Files with a hash in their names never change, so they come from the cache. The page and the
// operations below come from the network, and from the cache only when the network or the server
// fails; then a header tells the program when they were cached. Other operations of the API do not
// pass through here.

const FILES = {{files}};
const SHELL_CACHE = "shell-{{version}}";
const STATE_CACHE = "state";
// The operations whose responses are cached, by the header that the program sends.
const CACHED_OPERATIONS = ["ListServices", "ListUptimes", "GetMe"];
const OPERATION_NAME = "x-operation-name";
const CACHED_AT = "x-cached-at";

addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL_CACHE).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const removeOutdated = async () => {
    const names = await caches.keys();
    const outdated = names.filter((name) => name !== SHELL_CACHE && name !== STATE_CACHE);
    await Promise.all(outdated.map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(removeOutdated());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  const operation = request.headers.get(OPERATION_NAME);
  if (CACHED_OPERATIONS.includes(operation)) event.respondWith(fetchOperation(request, operation));
  else if (request.method === "POST" && url.pathname.endsWith("/logout")) event.waitUntil(caches.delete(STATE_CACHE));
  else if (request.method !== "GET" || url.pathname.startsWith("/api/")) return;
  else if (request.mode === "navigate") event.respondWith(fetchPage(request));
  else if (FILES.includes(url.pathname)) event.respondWith(fetchFile(request));
});

// A click on a desktop notification opens its page: in a window of the dashboard if there is one.
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPage(event.notification.data?.url ?? "/"));
});

async function openPage(url) {
  const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const window = windows.find(({ visibilityState }) => visibilityState === "visible") ?? windows[0];
  if (!window) return clients.openWindow(url);
  window.postMessage({ open: url });
  // The browser may refuse the focus; the page is open then all the same.
  await window.focus().catch(() => undefined);
}

async function fetchFile(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

async function fetchPage(request) {
  const cached = () => caches.match("/", { ignoreVary: true });
  try {
    const response = await fetch(request);
    if (response.status < 500) return response;
    return (await cached()) ?? response;
  } catch (cause) {
    const page = await cached();
    if (page) return page;
    throw cause;
  }
}

async function fetchOperation(request, operation) {
  const { variables } = JSON.parse(await request.clone().text());
  // Each page of a list is cached by its cursor.
  const cursor = variables?.after ? `?after=${encodeURIComponent(variables.after)}` : "";
  const key = `/operations/${operation}${cursor}`;
  try {
    const response = await fetch(request);
    if (response.status >= 500) return (await findCached(key)) ?? response;
    store(key, response.clone());
    return response;
  } catch (cause) {
    const cached = await findCached(key);
    if (cached) return cached;
    throw cause;
  }
}

/** Caches a response. When the user has signed out or is another one, the cached state is deleted first. */
async function store(key, response) {
  if (response.status === 401) return caches.delete(STATE_CACHE);
  if (!response.ok) return;
  const text = await response.text();
  const { data, errors } = JSON.parse(text);
  if (data?.me === null) return caches.delete(STATE_CACHE);
  if (!data || errors?.length) return;
  if (data.me) {
    const cached = await (await findCached(key))?.json();
    if (cached && cached.data.me.id !== data.me.id) await caches.delete(STATE_CACHE);
  }
  // A first page begins a new list: the other pages of the one before are not part of it.
  if (!key.includes("?")) await deleteLaterPages(key);
  const headers = { "content-type": "application/json", [CACHED_AT]: new Date().toISOString() };
  await (await caches.open(STATE_CACHE)).put(key, new Response(text, { headers }));
}

async function deleteLaterPages(key) {
  const cache = await caches.open(STATE_CACHE);
  const pages = (await cache.keys()).filter(({ url }) => url.includes(`${key}?`));
  await Promise.all(pages.map((page) => cache.delete(page)));
}

async function findCached(key) {
  return (await caches.open(STATE_CACHE)).match(key);
}
