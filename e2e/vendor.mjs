// A vendor page on loopback, in the format that most vendors use.
import { once } from 'node:events';
import { createServer } from 'node:http';

const iso = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();

export const component = (id, name, status = 'operational', group = null) => ({
  id, name, status, group_id: group, group: false, position: 1, description: null, showcase: true,
  created_at: iso(-9e5), updated_at: iso(-60), only_show_if_degraded: false, page_id: 'p1',
});

export const group = (id, name) => ({ ...component(id, name), group: true, components: [] });

/** An active incident, with its updates newest first. */
export const incident = (id, name, components, updates, impact = 'major') => ({
  id, name, impact, status: updates[0].status, page_id: 'p1', shortlink: `https://status.example.com/${id}`,
  created_at: iso(-120), started_at: iso(-120), updated_at: iso(-5), monitoring_at: null, resolved_at: null, components,
  incident_updates: updates.map(({ status, body }, index) => ({
    id: `${id}-${index}`, incident_id: id, status, body, affected_components: null,
    created_at: iso(-5 - index * 30), updated_at: iso(-5 - index * 30), display_at: iso(-5 - index * 30),
  })),
});

export const maintenance = (id, name, components, from, until) => ({
  ...incident(id, name, components, [{ status: 'scheduled', body: 'As announced.' }], 'maintenance'),
  started_at: null, scheduled_for: iso(from), scheduled_until: iso(until),
});

/** Starts the server. `setPage` replaces the content of the page. */
export async function startVendor(name, page) {
  let current = page;
  const server = createServer((request, response) => {
    const json = (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const path = new URL(request.url, 'http://vendor').pathname;
    const pageInfo = { id: 'p1', name, url, time_zone: 'Etc/UTC', updated_at: iso(0) };
    const { components = [], incidents = [], maintenances = [] } = current;
    if (path === '/api/v2/summary.json') {
      json({ page: pageInfo, components, incidents, scheduled_maintenances: maintenances, status: { indicator: 'none', description: '' } });
    } else if (path === '/api/v2/components.json') json({ page: pageInfo, components });
    else if (path === '/') response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Status</title>');
    else response.writeHead(404).end('nothing here');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, setPage(next) { current = next; }, stop() { server.closeAllConnections(); server.close(); } };
}
