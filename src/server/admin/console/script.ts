/**
 * What the pages can do beside: parts that changed are put in their place, and a browser that was signed in goes on
 * where it was. Every page works without it.
 */
export const script = `'use strict';
(() => {
  const root = document.documentElement;
  const kept = 'cortex-console';
  const policy = window.trustedTypes?.createPolicy('console', { createHTML: (text) => text }) ?? { createHTML: (text) => text };
  const address = /^\\/console\\/[\\w-]{43}\\//.exec(location.pathname)?.[0];

  // The key in the address is worth nothing without the cookie, and the cookie nothing without it.
  if (root.dataset.door === 'open') {
    const before = localStorage.getItem(kept);
    if (before !== null && /^\\/console\\/[\\w-]{43}\\/$/.test(before)) location.replace(before);
    return;
  }
  if (root.dataset.door === 'ended') {
    localStorage.removeItem(kept);
    return;
  }
  if (address !== undefined) localStorage.setItem(kept, address);
  for (const form of document.querySelectorAll('form[action$="/sign-out"]'))
    form.addEventListener('submit', () => localStorage.removeItem(kept));

  const { live } = root.dataset;
  if (live === undefined) return;
  const pulse = document.getElementById('pulse');
  const pause = document.getElementById('pause');
  let source;
  function say(text, state) {
    if (pulse.textContent !== text) pulse.textContent = text;
    root.dataset.pulse = state;
  }
  function isBusy(part) {
    const selection = document.getSelection();
    return selection !== null && selection.type === 'Range' && part.contains(selection.anchorNode);
  }
  function put(id, text) {
    const part = document.getElementById(id);
    if (part === null || isBusy(part)) return;
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    part.innerHTML = policy.createHTML(text);
    if (focused !== null) part.querySelector('[href="' + CSS.escape(focused) + '"]')?.focus({ preventScroll: true });
  }
  function open() {
    say('Connecting', 'waiting');
    source = new EventSource(live);
    source.onopen = () => say('Live', 'live');
    source.onerror = () => say('Reconnecting', 'waiting');
    source.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.ended === true) return location.reload();
      put(message.id, message.html);
    };
  }
  function close() {
    source?.close();
    source = undefined;
  }
  pause.hidden = false;
  pause.addEventListener('click', () => {
    if (source === undefined) open();
    else {
      close();
      say('Paused', 'paused');
    }
    pause.textContent = source === undefined ? 'Go on' : 'Pause';
  });
  root.classList.add('scripted');
  addEventListener('pagehide', close);
  addEventListener('pageshow', (event) => event.persisted && open());
  open();
})();
`;
