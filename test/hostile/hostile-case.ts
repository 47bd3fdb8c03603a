/** One hostile input: how it is made, what `sluice` is told to do with it, and what the user must see. */

/** A command and what must come of it. */
export interface HostileStep {
  /** Behind `sluice`. */
  readonly args: readonly string[];
  /** A signal where the test itself kills the process. */
  readonly exit: 0 | 1 | 2 | NodeJS.Signals;
  /** Must be among what is printed: on standard error, or the rejects of a run that ends. */
  readonly says?: RegExp;
  /** Rows of the corpus; left out where the command does not get as far as rows. */
  readonly rows?: number;
  /** Rejected rows by reason; none unless told. */
  readonly rejects?: Readonly<Record<string, number>>;
  /** Just before the command. */
  readonly before?: (folder: string) => Promise<void>;
  /** While the command runs; `said` waits for what it prints on standard error. */
  readonly meanwhile?: (folder: string, said: (what: RegExp) => Promise<boolean>) => Promise<void>;
  /** What starts the command instead of us, such as a shell that sets a limit. */
  readonly under?: (folder: string) => readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where the test finds the folder with what the command wrote, if not under its own name. */
  readonly foundIn?: (folder: string) => string;
  /** Bound of the memory of the process, MiB. */
  readonly peakMiB?: number;
}

export interface HostileCase {
  readonly name: string;
  /** Puts the input into an empty folder, in which the commands then run. */
  readonly make: (folder: string) => Promise<void>;
  /** One after the other. */
  readonly steps: readonly HostileStep[];
  /** What each row of the corpus is, where one corpus holds many hostile rows. */
  readonly rowNames?: readonly string[];
  /** What else must hold after the last one. */
  readonly check?: (folder: string) => Promise<void>;
  /** Undoes what removing the folder does not. */
  readonly unmake?: (folder: string) => Promise<void>;
}

/** Cases of one kind. */
export interface HostileSection {
  readonly title: string;
  readonly cases: readonly HostileCase[];
}
