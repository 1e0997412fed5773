/** Opens a page in the person's browser, without a shell; false where there is none to open it with. */
export function openBrowser(url: string, environment: Readonly<Record<string, string | undefined>>): boolean {
  const command = opener(url, environment);
  if (command === undefined) return false;
  try {
    const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
    child.unref();
    return true;
  } catch {
    return false;
  }
}

function opener(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] | undefined {
  // What comes from a server must not become an option, or anything but a page.
  if (!/^https?:\/\//.test(url)) return undefined;
  if (process.platform === 'darwin') return ['open', url];
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url];
  const hasScreen = environment.DISPLAY !== undefined || environment.WAYLAND_DISPLAY !== undefined;
  return hasScreen && Bun.which('xdg-open') !== null ? ['xdg-open', url] : undefined;
}
