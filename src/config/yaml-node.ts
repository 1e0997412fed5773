/** A value as it stands in a YAML file, whoever read it: one of the three, or nothing where no value is. */
export interface YamlNode {
  /** Counted from 1; undefined where it is not known. */
  readonly line: number | undefined;
  /** The text of a scalar as it is written: `0123` and `1.10` stay what they are. */
  readonly scalar?: string;
  /** What a map holds, in order; a key may be there twice. Asked for only where it is wanted: an alias could unfold without end. */
  readonly pairs?: () => readonly YamlPair[];
  readonly items?: () => readonly YamlNode[];
}

export interface YamlPair {
  readonly key: YamlNode;
  readonly value: YamlNode;
}

/** What is wrong with a file as YAML. */
export interface YamlFault {
  readonly line: number;
  readonly message: string;
}

export interface YamlText {
  readonly root: YamlNode;
  readonly faults: readonly YamlFault[];
  /** Some fault leaves nothing to read. */
  readonly isBroken: boolean;
}
