// Sign-in providers on loopback: a certified OpenID Connect implementation in place of Google, and
// a server that imitates GitHub's OAuth and API. Both show pages with buttons, as the real ones do.
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

export const client = { id: 'pulsecheck', secret: 'a-secret-of-the-client' };

async function listen(handler) {
  const server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    server,
    stop() { server.closeAllConnections(); server.close(); },
  };
}

const page = (response, body) => {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Provider</title><body>${body}</body></html>`);
};

/** Starts an OpenID Connect provider. `person` is the user who signs in, and may be changed. */
export async function startOpenId(callbacks) {
  const person = { sub: 'ada-1', email: 'ada@example.test', email_verified: true, name: 'Ada Lovelace' };
  let provider;
  const { base, server, stop } = await listen((request, response) => handle(request, response));
  provider = new Provider(base, {
    clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: callbacks }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ ...person, sub }) }),
    cookies: { keys: ['only for tests'] },
  });
  const callback = provider.callback();
  async function handle(request, response) {
    const [, uid, decision] = request.url.match(/^\/interaction\/([^/?]+)(?:\/(yes|no))?$/) ?? [];
    if (!uid) return callback(request, response);
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    if (!decision) {
      return page(response, `<h1>${prompt.name}</h1><a href="/interaction/${uid}/yes">Continue</a> <a href="/interaction/${uid}/no">Cancel</a>`);
    }
    if (decision === 'no') return provider.interactionFinished(request, response, { error: 'access_denied' });
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, response, { login: { accountId: person.sub } });
    }
    const grant = grantId
      ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope('openid email profile');
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }
  return { base, person, server, stop };
}

/** Starts the imitation of GitHub. `person` is the user who signs in, and may be changed. */
export async function startGitHub() {
  const person = {
    user: { id: 7, login: 'ada', name: 'Ada at GitHub', avatar_url: 'https://avatars.githubusercontent.com/u/7' },
    emails: [{ email: 'ada@example.test', primary: true, verified: true }],
  };
  const codes = new Map();
  const tokens = new Set();
  const json = (response, status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const { base, stop } = await listen(async (request, response) => {
    const url = new URL(request.url, 'http://github.test');
    if (url.pathname === '/login/oauth/authorize') {
      const authorization = Object.fromEntries(url.searchParams);
      const redirect = (result) => `${authorization.redirect_uri}?${new URLSearchParams({ ...result, state: authorization.state })}`;
      const code = randomUUID();
      codes.set(code, authorization);
      return page(response, `<h1>Authorize</h1><a href="${redirect({ code })}">Continue</a> <a href="${redirect({ error: 'access_denied' })}">Cancel</a>`);
    }
    if (url.pathname === '/login/oauth/access_token') {
      let body = '';
      for await (const chunk of request) body += chunk;
      const form = Object.fromEntries(new URLSearchParams(body));
      const authorization = codes.get(form.code);
      codes.delete(form.code);
      const challenge = createHash('sha256').update(form.code_verifier ?? '').digest('base64url');
      const isValid = authorization && authorization.code_challenge_method === 'S256' && authorization.code_challenge === challenge
        && form.client_id === client.id && form.client_secret === client.secret && form.redirect_uri === authorization.redirect_uri;
      if (!isValid) return json(response, 200, { error: 'bad_verification_code' });
      const token = `gho_${randomUUID()}`;
      tokens.add(token);
      return json(response, 200, { access_token: token, token_type: 'bearer', scope: 'read:user,user:email' });
    }
    const known = tokens.has((request.headers.authorization ?? '').replace('Bearer ', ''));
    if (!known) return json(response, 401, { message: 'Bad credentials' });
    if (url.pathname === '/api/v3/user') return json(response, 200, person.user);
    if (url.pathname === '/api/v3/user/emails') return json(response, 200, person.emails);
    return json(response, 404, { message: 'Not Found' });
  });
  return { base, person, stop };
}
