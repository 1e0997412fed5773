import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';

/** Undefined: there is no Chromium here, and why that matters is `chromiumReason`. */
export const chromiumPath: string | undefined =
  Bun.which('chromium') ?? Bun.which('chromium-browser') ?? Bun.which('google-chrome') ?? undefined;
export const chromiumReason =
  chromiumPath === undefined ? 'no chromium in PATH (Debian: apt-get install chromium)' : undefined;

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
}

/** One tab with cookies of its own. */
export interface Tab {
  /** Opens a URL and waits until it has loaded. */
  open(url: string): Promise<void>;
  look(look: Look): Promise<void>;
  /** The value of an expression; a promise is awaited. */
  evaluate(expression: string): Promise<unknown>;
  /** Clicks with a mouse in the middle of the element that the expression names, and waits for nothing. */
  click(element: string): Promise<void>;
  /** Clicks, and waits until another page has loaded. */
  leaveBy(element: string): Promise<void>;
  /** What the browser complains about, and URLs it was told to go to, in the order they came. */
  readonly complaints: readonly string[];
  readonly requested: readonly string[];
  screenshot(): Promise<Buffer>;
}

export interface Chromium {
  newTab(): Promise<Tab>;
  close(): Promise<void>;
}

type Listener = (method: string, params: JsonObject) => void;

/** Chromium without a window, driven by its DevTools protocol. */
export async function startChromium(path: string): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'cortex-chromium-'));
  const child = Bun.spawn(
    [
      path,
      '--headless=new',
      '--no-sandbox',
      '--no-first-run',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--hide-scrollbars',
      '--force-color-profile=srgb',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    { stdout: 'ignore', stderr: 'pipe' },
  );
  const socket = new WebSocket(await endpointOf(child.stderr));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });

  let nextId = 0;
  const pending = new Map<number, (answer: JsonObject) => void>();
  const listeners = new Map<string, Listener>();
  socket.onmessage = ({ data }) => {
    const message: unknown = JSON.parse(String(data));
    if (!isJsonObject(message)) return;
    if (typeof message.id === 'number') pending.get(message.id)?.(message);
    if (typeof message.method === 'string' && typeof message.sessionId === 'string')
      listeners.get(message.sessionId)?.(message.method, objectAt(message, 'params'));
  };
  async function send(method: string, params: JsonObject = {}, sessionId?: string): Promise<JsonObject> {
    nextId += 1;
    const id = nextId;
    const answer = await new Promise<JsonObject>((resolve) => {
      pending.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
    pending.delete(id);
    if (answer.error !== undefined) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
    return objectAt(answer, 'result');
  }

  return {
    async newTab() {
      const { browserContextId } = await send('Target.createBrowserContext');
      const { targetId } = await send('Target.createTarget', { url: 'about:blank', browserContextId });
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
      if (typeof sessionId !== 'string') throw new Error('Chromium attached no session');
      return createTab(
        (method, params) => send(method, params, sessionId),
        (listener) => listeners.set(sessionId, listener),
      );
    },
    async close() {
      // Its processes end with it and leave the profile alone; one that hangs is killed.
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      void send('Browser.close').catch(() => {});
      await child.exited;
      clearTimeout(timer);
      socket.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

async function createTab(
  send: (method: string, params?: JsonObject) => Promise<JsonObject>,
  listen: (listener: Listener) => void,
): Promise<Tab> {
  const complaints: string[] = [];
  const requested: string[] = [];
  let whenLoaded: (() => void) | undefined;
  listen((method, params) => {
    if (method === 'Page.loadEventFired') whenLoaded?.();
    if (method === 'Log.entryAdded') complaints.push(String(objectAt(params, 'entry').text));
    if (method === 'Runtime.consoleAPICalled') complaints.push(JSON.stringify(params.args));
    if (method === 'Network.requestWillBeSent') requested.push(String(objectAt(params, 'request').url));
    if (method === 'Page.frameRequestedNavigation') requested.push(String(params.url));
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);

  /** Waits for the load that `act` leads to. */
  async function loading(act: () => Promise<unknown>): Promise<void> {
    const loaded = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no page loaded; ${complaints.join('; ')}`)), 10_000);
      whenLoaded = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    await Promise.all([act(), loaded]);
  }
  async function evaluate(expression: string): Promise<unknown> {
    const answer = await send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (answer.exceptionDetails !== undefined)
      throw new Error(`${expression.slice(0, 80)}: ${JSON.stringify(answer.exceptionDetails)}`);
    return objectAt(answer, 'result').value;
  }

  async function click(element: string): Promise<void> {
    // A page takes no input before it is painted.
    const place = await evaluate(
      `(async () => { const node = ${element}; node.scrollIntoView({ block: 'center' });
        for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
        const { x, y, width, height } = node.getBoundingClientRect();
        return [x + width / 2, y + height / 2]; })()`,
    );
    if (!Array.isArray(place)) throw new Error(`${element} is nowhere`);
    const [x, y] = place;
    for (const type of ['mouseMoved', 'mousePressed', 'mouseReleased'])
      await send('Input.dispatchMouseEvent', {
        type,
        x,
        y,
        button: type === 'mouseMoved' ? 'none' : 'left',
        clickCount: 1,
      });
  }

  return {
    complaints,
    requested,
    evaluate,
    open: (url) => loading(() => send('Page.navigate', { url })),
    click,
    leaveBy: (element) => loading(() => click(element)),
    async look({ width, height, scheme }) {
      await send('Emulation.setDeviceMetricsOverride', {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: width < 600,
      });
      await send('Emulation.setEmulatedMedia', {
        features: [{ name: 'prefers-color-scheme', value: scheme }],
      });
    },
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { captureBeyondViewport: true });
      return Buffer.from(String(data), 'base64');
    },
  };
}

/** Chromium says on its error output where it listens. */
async function endpointOf(errors: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  const reader = errors.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Chromium did not start: ${text.slice(-2_000)}`);
    text += decoder.decode(value, { stream: true });
    const url = /DevTools listening on (ws:\/\/\S+)/.exec(text)?.[1];
    if (url === undefined) continue;
    void drain(reader);
    return url;
  }
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}
