import { describe, expect, it } from 'vitest';
import { privateUseScheme } from '#demo/authorization-server/private-use-uri.ts';
import {
  isAcceptableRedirectUri,
  matchesRegistered,
  redirectTarget,
} from '#demo/authorization-server/redirect-uri.ts';

describe('private-use redirect URIs (RFC 8252 section 7.1)', () => {
  it.each([
    ['cursor://anysphere.cursor-mcp/oauth/callback', 'cursor'],
    ['com.example.app:/oauth2redirect', 'com.example.app'],
    ['com.example.app:/oauth2redirect?from=here%20on', 'com.example.app'],
    ['vscode-insiders://auth/callback', 'vscode-insiders'],
    ['app:/', 'app'],
    ['a+b-c.9://x', 'a+b-c.9'],
  ])('%s belongs to the app that opens %s:', (uri, scheme) => {
    expect(isAcceptableRedirectUri(uri)).toBe(true);
    expect(redirectTarget(uri)).toEqual({ kind: 'app', scheme });
  });

  it.each(
    [
      'http ws wss ftp sftp file filesystem data blob about javascript vbscript view-source jar resource',
      'chrome chrome-extension chrome-untrusted devtools edge moz-extension safari-web-extension microsoft-edge',
      'mailto tel sms geo irc magnet matrix news sip ssh urn webcal xmpp bitcoin web+notes web+x',
      'intent intents android-app content market callto facetime itms-services shortcuts applescript shell help',
      'search-ms ms-settings ms-msdt ms-officecmd ms-appinstaller x-apple.systempreferences x-man-page ldap smb vnc',
    ].flatMap((line) => line.split(' ')),
  )('%s: is no app of its own', (scheme) => {
    for (const rest of ['/x', '//x/y', '//%0aalert(1)', '///', 'x'])
      expect(isAcceptableRedirectUri(`${scheme}:${rest}`), rest).toBe(false);
  });

  it.each([
    ['an upper-case scheme', 'Cursor://x'],
    ['another spelling of javascript', 'JavaScript://%0aalert(1)'],
    ['no slash', 'cursor:callback'],
    ['nothing after the scheme', 'cursor:'],
    ['a scheme that starts with a digit', '9app://x'],
    ['a scheme of one letter, which Windows takes for a drive', 'c:/x'],
    ['a scheme with an underscore', 'my_app://x'],
    ['a scheme without end', `${'a'.repeat(64)}:/x`],
    ['a user name', 'cursor://claude@evil/x'],
    ['a password', 'cursor://claude:x@evil/x'],
    ['a fragment', 'cursor://x/y#z'],
    ['a backslash', 'cursor:/\\evil'],
    ['a space', 'cursor://x/a b'],
    ['a line break', 'cursor://x/\r\nset-cookie:a'],
    ['a tab inside the scheme, which browsers drop', 'java\tscript://x'],
    ['a space in front, which browsers drop', ' javascript://x'],
    ['markup', 'cursor://x/"><script>'],
    ['half an escape', 'cursor://x/%2'],
    ['letters outside of ASCII', 'cursor://x/ü'],
    ['a separator of policies', 'cursor://x/;script-src *'],
    ['a port that is none', 'cursor://x:99999999/'],
    ['too much', `cursor://${'x'.repeat(2_000)}`],
  ])('are refused with %s', (_why, uri) => expect(isAcceptableRedirectUri(uri)).toBe(false));

  it('are compared byte for byte', () => {
    const registered = ['cursor://a.b/oauth/callback'];
    expect(matchesRegistered('cursor://a.b/oauth/callback', registered)).toBe(true);
    for (const other of [
      'cursor://a.b/oauth/callback/',
      'cursor://a.b/oauth/callback?x=1',
      'cursor://A.b/oauth/callback',
      'Cursor://a.b/oauth/callback',
      'cursor://a.b:80/oauth/callback',
      'cursor:/a.b/oauth/callback',
      'cursors://a.b/oauth/callback',
    ])
      expect(matchesRegistered(other, registered), other).toBe(false);
  });

  it('are not what https and loopback URIs are', () => {
    expect(privateUseScheme('https://a.test/cb')).toBeUndefined();
    expect(privateUseScheme('http://127.0.0.1/cb')).toBeUndefined();
    expect(redirectTarget('https://a.test/cb')).toEqual({ kind: 'site', host: 'a.test' });
    expect(redirectTarget('http://[::1]:8080/cb')).toEqual({ kind: 'loopback', host: '[::1]:8080' });
  });
});
