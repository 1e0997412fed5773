import { Html } from '#kernel/html.ts';

/**
 * Shows the buttons beside what can be copied, and opens the part that the address names. Without it both are missing,
 * and nothing else. It holds nothing that a page fills in, so that its hash is always the same.
 */
const source = `for (const button of navigator.clipboard ? document.querySelectorAll('.copy button') : []) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}
const chosen = () => {
  const input = document.getElementById('client-' + location.hash.slice(1));
  if (input) input.checked = true;
};
addEventListener('hashchange', chosen);
chosen();`;

export const copyScript = new Html(`<script>${source}</script>\n`);

/** As a policy names it: `'sha256-...'`. */
export function copyScriptHash(): string {
  return `'sha256-${new Bun.CryptoHasher('sha256').update(source).digest('base64')}'`;
}
