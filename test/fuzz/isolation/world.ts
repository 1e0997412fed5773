import type { GatewayDeps } from '#gateway.ts';
import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { createMovingClock, type MovingClock } from '../../support/moving-clock.ts';
import { createTempFolder, type TempFolder } from '../../support/temp-folder.ts';
import { type Owner, owners } from './canary.ts';
import { allScopes, createPerson, type Person } from './person.ts';
import { startThirdParties, type ThirdParties } from './third-parties.ts';
import { startWatchedGateway, type WatchedGateway } from './watched-gateway.ts';

/** The gateway, what is around it, and the people of the sequences, all signed in. */
export interface World extends AsyncDisposable {
  readonly clock: MovingClock;
  readonly folder: TempFolder;
  readonly parties: ThirdParties;
  readonly gateway: WatchedGateway;
  /** Of each person the last retry of a call that had asked something, state and all. */
  readonly states: Map<Owner, JsonObject>;
  person(owner: Owner): Person;
  /** How operators name a person. */
  named(owner: Owner): Promise<JsonObject>;
  operate(what: string, input: JsonObject): Promise<void>;
  restart(): Promise<void>;
  /** What is still to be told on open streams is told; then they are closed. */
  settle(): Promise<void>;
}

export async function createWorld(instead?: GatewayDeps['instead']): Promise<World> {
  const owned = new AsyncDisposableStack();
  const clock = createMovingClock();
  const folder = owned.use(await createTempFolder());
  const parties = owned.use(await startThirdParties(clock));
  const gateway = owned.use(await startWatchedGateway({ parties, folder, clock, instead }));
  const subjectOf = (owner: Owner): string => [...(gateway.own.get(owner) ?? [])][0] ?? '';
  const people = new Map<Owner, Person>();
  for (const owner of owners) {
    const person = createPerson(owner, { parties, gateway, clock, subjectOf });
    people.set(owner, person);
    await person.signIn(allScopes);
  }
  const person = (owner: Owner): Person => {
    const found = people.get(owner);
    if (found === undefined) throw new Error(`nobody is called ${owner}`);
    return found;
  };
  async function hangUp(): Promise<void> {
    for (const { streams } of people.values()) for (const stream of streams.splice(0)) await stream.close();
  }

  return {
    clock,
    folder,
    parties,
    gateway,
    states: new Map(),
    person,
    async named(owner) {
      const issuer = owner === 'twin' ? parties.other.url : parties.ours.issuer;
      return { user: subjectOf(owner), issuer };
    },
    async operate(what, input) {
      await gateway.gateway.operations[what]?.run(input, 'local');
    },
    async restart() {
      await hangUp();
      await gateway.restart();
    },
    async settle() {
      await Bun.sleep(2 * limits.listChangedDebounceMs);
      await hangUp();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
