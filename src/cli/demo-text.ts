import { clients } from '#clients/clients.ts';
import { commandLine } from '#clients/command-line.ts';
import { alignColumns, type Output } from './output.ts';

/** What a person sees after `cortex demo` has started: where to connect, how to sign in, and a call to paste. */
export function demoText(
  output: Output,
  of: {
    readonly url: string;
    readonly issuer: string;
    readonly token: string | undefined;
    readonly configFile: string;
    readonly console: { readonly url: string; readonly token: string } | undefined;
  },
): string {
  const heading = (text: string) => output.paint('bold', text);
  const faint = (text: string) => output.paint('dim', text);
  const call = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`;
  return [
    heading('Cortex demo is running'),
    '',
    `  MCP URL    ${output.paint('green', of.url)}`,
    `  Connect    ${new URL('/', of.url).href}   ${faint('a page for people: how each client is connected')}`,
    `  Sign in    ${of.issuer}/account   ${faint('any e-mail address; the link of the mail appears here')}`,
    `  Accounts   ${new URL('/link', of.url).href}   ${faint('what is linked, and what was called in your name')}`,
    ...(of.console === undefined
      ? []
      : [
          `  Console    ${of.console.url}   ${faint('for operators: how everything does, live; its token:')}`,
          `             ${of.console.token}`,
        ]),
    `  Config     ${of.configFile}`,
    '',
    heading('Connect a client'),
    ...clientLines(of.url),
    faint(`  Others, and their files: cortex connect --url ${of.url}`),
    ...(of.token === undefined
      ? []
      : [
          '',
          `${heading('Or call it by hand')} ${faint('as you@example.com on the free plan; the token is good for 15 minutes')}`,
          `  curl -s ${of.url} \\`,
          `    -H 'Authorization: Bearer ${of.token}' \\`,
          `    -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\`,
          `    -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/list' \\`,
          `    -d '${call}'`,
        ]),
    '',
    faint('Ctrl-C stops it.'),
  ].join('\n');
}

/** The first command of each client that has one. */
function clientLines(url: string): readonly string[] {
  const rows = clients.flatMap(({ title, commands }) => {
    const [first] = commands({ name: 'cortex', url, bridge: [] });
    return first === undefined ? [] : [[`  ${title}`, commandLine(first)]];
  });
  return alignColumns(rows);
}
