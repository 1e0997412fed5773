import { stringAt } from '#kernel/json.ts';
import { parseBearerChallenge } from '#wire/bearer-challenge.ts';
import { type Finding, fail, type Known } from './finding.ts';
import type { Answer } from './probe.ts';
import { proxyLines, proxyOf } from './proxy-lines.ts';

/** Why an answer is not the one that the gateway would give; `expected` is what that is. */
export function httpFault(answer: Answer, { url }: Pick<Known, 'url'>, expected: string): Finding {
  const { status, header, json } = answer;
  const proxy = proxyOf(header);
  const code = stringAt(json ?? {}, 'error');
  const found = `answered ${status}, not ${expected}`;
  if (status >= 300 && status < 400) {
    const to = header('location') ?? 'nowhere';
    return fail(
      `${url} sends clients on to ${to}`,
      'clients do not follow: give them that URL, or serve this one',
    );
  }
  if (header('cf-mitigated') !== undefined)
    return fail(
      `${found}: Cloudflare wants a puzzle solved first`,
      'let /mcp and /.well-known/ pass without one (a custom rule with Skip; bot fight mode off): clients solve none',
    );
  if (code === 'host_refused')
    return fail(
      `${found}: the gateway is called by a name that is not its own`,
      'have the proxy pass the Host header on, and let gateway.url have that name',
      { proxyLines: proxyLines('host', proxy) },
    );
  if (status === 404 || status === 405)
    return fail(
      found,
      'give the URL that agents use, with /mcp at the end; or have the proxy pass that path on',
      {
        proxyLines: proxyLines('upstream', proxy),
      },
    );
  if (code === 'temporarily_unavailable')
    return fail(
      `${found}: the gateway cannot fetch the keys of its issuer`,
      'its log says why: auth.keys_unavailable; the machine of the gateway must reach the issuer',
    );
  if (code === 'stopping')
    return fail(`${found}: the gateway is stopping`, 'wait until it has started again');
  if (status === 502 || status === 503 || status === 504)
    return fail(
      `${found}: the proxy answers, and does not reach the gateway`,
      'start the gateway (systemctl status cortex), and see that the proxy has its address',
      { proxyLines: proxyLines('upstream', proxy) },
    );
  if (status === 429)
    return fail(`${found}: too many requests`, `wait ${header('retry-after') ?? '60'} s, then run it again`);
  return fail(found, 'let the proxy pass the request on as it is', {
    proxyLines: proxyLines('upstream', proxy),
  });
}

/** Why a request with a token was not admitted. */
export function admissionFault(answer: Answer, known: Known): Finding {
  if (answer.status !== 401) return httpFault(answer, known, '200');
  const said = parseBearerChallenge(answer.header('www-authenticate'));
  if (said?.error === undefined && stringAt(answer.json ?? {}, 'error') !== 'invalid_token')
    return fail(
      'the token does not arrive: a request with it was answered like one without',
      'have the proxy pass the header Authorization on',
      { proxyLines: proxyLines('authorization', known.proxy ?? proxyOf(answer.header)) },
    );
  const { doubt } = known;
  const log =
    'its log says why: auth.refused; with --config and the gateway’s own file each claim is judged here';
  if (doubt?.fix === undefined) return fail('the gateway refuses the token', log);
  return fail(`the gateway refuses the token, most likely for what was found: ${doubt.found}`, doubt.fix, {
    details: [log],
  });
}
