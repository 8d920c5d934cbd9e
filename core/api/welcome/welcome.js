// The page behind a one-time link. The secret stands behind the "#", so no server, proxy or log sees it in a URL.
'use strict';
const at = (id) => document.getElementById(id);
const isFirst = location.pathname.startsWith('/welcome');
const ticket = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
at('title').textContent = isFirst ? 'The first owner of this hub' : 'Your password for this hub';
at('who').hidden = !isFirst;
at('email').required = at('name').required = isFirst;
at('form').hidden = ticket === '';
at('said').textContent = ticket === '' ? 'Open the whole link, up to its end.' : '';
at('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = { ticket, password: at('password').value, session: true };
  if (isFirst) Object.assign(body, { email: at('email').value, name: at('name').value });
  const answer = await fetch('/api/v1/auth/' + (isFirst ? 'first-owner' : 'invite'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const json = await answer.json();
  at('form').hidden = answer.ok;
  const faults = (json.errors || []).map((one) => one.pointer.slice(1) + ' ' + one.detail);
  at('said').textContent = answer.ok
    ? 'Done. You are signed in as ' + json.user.email + '.'
    : [json.detail, ...faults].join(' ');
});
