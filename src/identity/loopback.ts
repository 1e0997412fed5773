/** Whether an address can only lead to this machine: `localhost`, 127.0.0.0/8 or `[::1]`, as the URL parser spells them. */
export function isLoopbackUrl(url: URL): boolean {
  const host = url.hostname;
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
