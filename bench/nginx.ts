import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Nginx extends AsyncDisposable {
  readonly pid: number;
}

const answerBytes = 146;
const answer = { documents: [{ id: 'doc-1', title: 'Quarterly report', owner: 'ada' }], total: 1, note: '' };

/** What the fast backend answers to every tool call. */
export const backendAnswer = JSON.stringify({
  ...answer,
  note: '.'.repeat(answerBytes - JSON.stringify(answer).length),
});

/** Everything that the lists ask for, in one answer. */
const catalog = JSON.stringify({
  tools: [{ name: 'search', scope: 'mcp:bench', description: 'Searches.', params: { query: 'string' } }],
  prompts: [],
  resources: [],
  resourceTemplates: [],
});

/** A backend of the contract made of nothing but nginx: it does not read what it is sent. */
export function startBackend(folder: string, port: number): Promise<Nginx> {
  return startNginx(
    folder,
    'backend',
    port,
    `location / {
      default_type application/json;
      if ($http_x_cortex_kind = tool) { return 200 '${backendAnswer}'; }
      return 200 '${catalog}';
    }`,
  );
}

/** The baseline: a plain reverse proxy with kept connections; no token, no JSON. */
export function startPlainProxy(folder: string, port: number, backendPort: number): Promise<Nginx> {
  return startNginx(
    folder,
    'proxy',
    port,
    `location / {
      proxy_pass http://backend/api/cortex/backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Cortex-Kind tool;
    }`,
    `upstream backend { server 127.0.0.1:${backendPort}; keepalive 512; keepalive_requests 1000000000; }`,
  );
}

async function startNginx(
  folder: string,
  name: string,
  port: number,
  location: string,
  upstream = '',
): Promise<Nginx> {
  const prefix = join(folder, name);
  await mkdir(prefix, { recursive: true });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${prefix}/${kind};`,
  );
  // One process, so that its CPU time is that of one pid.
  const config = `daemon off; master_process off; pid ${prefix}/nginx.pid; error_log ${prefix}/error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; ${paths.join(' ')}
  ${upstream}
  server { listen 127.0.0.1:${port} backlog=4096; ${location} }
}
`;
  await writeFile(join(prefix, 'nginx.conf'), config);
  const child = Bun.spawn(
    ['nginx', '-p', prefix, '-e', join(prefix, 'error.log'), '-c', join(prefix, 'nginx.conf')],
    {
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'inherit',
    },
  );
  return {
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await child.exited;
    },
  };
}
