/** Tells every replica, this one too, and waits for what each says. */
export interface Bus<Message, Answer> {
  /** One answer a replica. Rejects where one does not answer. */
  publish(message: Message): Promise<readonly Answer[]>;
  /** Hears every message, also this replica's own, until the returned function is called. */
  join(handle: (message: Message) => Answer | Promise<Answer>): () => void;
}

/** The bus of a gateway that is one process. */
export function createLocalBus<Message, Answer>(): Bus<Message, Answer> {
  const handlers = new Set<(message: Message) => Answer | Promise<Answer>>();
  return {
    publish: (message) => Promise.all([...handlers].map(async (handle) => handle(message))),
    join(handle) {
      handlers.add(handle);
      return () => handlers.delete(handle);
    },
  };
}
