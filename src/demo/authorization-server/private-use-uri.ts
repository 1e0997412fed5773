/** Schemes that are not an application's own. */
const taken = new Set(
  [
    // Browsers run, show or fetch them.
    'http https ws wss ftp ftps sftp file filesystem data blob about javascript vbscript livescript view-source jar',
    'resource res cid mid urn devtools chrome edge brave opera vivaldi firefox microsoft-edge googlechrome googlechromes',
    // Any website may claim them: the safelist of registerProtocolHandler (HTML Living Standard 8.9.1.1).
    'bitcoin ethereum geo im irc ircs magnet mailto matrix mms news nntp openpgp4fpr sip sms smsto ssh tel webcal wtai xmpp',
    // Systems act on them, some without asking.
    'intent intents android-app content package market callto sips webcals feed facetime facetime-audio message imessage',
    'maps itms itms-apps itms-services prefs shortcuts applescript appinstaller search shell hcp help',
    'gopher telnet rlogin ldap ldaps afp smb cifs nfs dav davs vnc rdp git svn rtsp',
  ].flatMap((line) => line.split(' ')),
);

/** Families of such schemes, by how they start; all of `web+` may be claimed by websites. */
const takenFamilies = [
  'web+',
  'chrome-',
  'moz-',
  'safari-',
  'edge-',
  'ms-',
  'search-',
  'x-apple',
  'x-man-page',
];

/** `scheme:/...` in the characters of RFC 3986, without fragment; the scheme in lower case, as URLs are compared. */
const syntax = /^([a-z][a-z0-9+.-]{1,62}):\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/;

/**
 * The scheme that an application on the user's device claims for itself, such as `cursor` of
 * `cursor://anysphere.cursor-mcp/oauth/callback` (RFC 8252 section 7.1); undefined for every other URI. Another
 * application can claim the same one: what protects the code is PKCE, and what protects the user is the consent page.
 */
export function privateUseScheme(uri: string): string | undefined {
  const scheme = syntax.exec(uri)?.[1];
  if (scheme === undefined || taken.has(scheme)) return undefined;
  return takenFamilies.some((family) => scheme.startsWith(family)) ? undefined : scheme;
}
