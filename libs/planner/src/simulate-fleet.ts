import { drawSurvivors } from './binomial.js';
import { EventQueue } from './event-queue.js';
import { Queue } from './queue.js';
import type { RandomNumbers } from './random.js';
import { randomNumbers } from './random.js';

/** A stage and the workers that serve it. */
export interface SimulatedStage {
  readonly replicas: number;
  /** Inference threads of a worker. */
  readonly threads: number;
  /** Jobs that a worker has at the same time. */
  readonly slots: number;
  /** Share of the rows that enter and go on to the next stage, 0..1; of the last stage it does not count. */
  readonly survives: number;
  /** Seconds that a row takes a thread, where so many rows wait at its worker. */
  readonly rowSeconds: (waiting: number) => number;
  /** How long rows wait for a full batch, seconds; 0 where they do not. */
  readonly waitSeconds: number;
  /** Waiting rows from which on there is a full batch. */
  readonly fullAt: number;
  /** The most rows of which the survivors travel as one job. */
  readonly sliceRows: number;
}

export interface SimulatedFleet {
  readonly rows: number;
  readonly chunkRows: number;
  /** Chunks between reading and commit. */
  readonly chunksInFlight: number;
  /** Producers that share the rows. */
  readonly producers: number;
  /** Producer's seconds for a row, from the file into the queue. */
  readonly feedSeconds: number;
  /** Producer's seconds for a row, from the queue into the run directory. */
  readonly commitSeconds: number;
  readonly stages: readonly SimulatedStage[];
  /** That all processes share, where they are on one machine; else each has its own. */
  readonly sharedCores?: number | undefined;
  /** The same seed and fleet give the same simulation. */
  readonly seed: number;
}

export interface StageFigures {
  /** Rows that entered. */
  readonly rows: number;
  /** Sum over all threads. */
  readonly busySeconds: number;
  /** Of the threads' time, 0..1. */
  readonly utilisation: number;
  /** The most rows at one time that had entered the stage's queue and were not done. */
  readonly rowsMost: number;
  /** Rows that waited at a worker when one of its jobs began, on average over the jobs' rows. */
  readonly rowsPooled: number;
}

export interface Simulation {
  /** Rows that were committed. */
  readonly rows: number;
  /** Chunks that were committed. */
  readonly chunks: number;
  /** From the first chunk read to the last committed. */
  readonly seconds: number;
  /** Until the last chunk was in the queue; the rest is the tail. */
  readonly feedSeconds: number;
  /** Of the producers' time, 0..1. */
  readonly producerUtilisation: number;
  readonly chunksMost: number;
  readonly stages: readonly StageFigures[];
}

interface Chunk {
  readonly rows: number;
  /** Jobs with rows of it. */
  jobs: number;
}

interface Job {
  readonly chunk: Chunk;
  readonly rows: number;
  arrived: number;
}

interface Worker {
  readonly held: Queue<Job>;
  /** Rows of the jobs held and not begun. */
  waiting: number;
  jobs: number;
  idleThreads: number;
  /** When it looks again at what waits for a full batch. */
  wakesAt: number;
}

/**
 * Plays a run through: one or more producers give out chunks, as long as few enough are in flight, and commit them; the
 * workers of each stage take jobs as the queue gives them, to any that has a free slot; rows survive a stage by chance.
 * Chunks are simulated, not rows; memory is that of the chunks in flight. No job fails, and no worker dies.
 *
 * @throws RangeError for a fleet that could never end
 */
export function simulateFleet(fleet: SimulatedFleet): Simulation {
  return new FleetSimulation(fleet).run();
}

class FleetSimulation {
  readonly #fleet: SimulatedFleet;
  /** Ends of work, by `#worked`. */
  readonly #work = new EventQueue();
  /** What happens at a time, by `#now`. */
  readonly #timers = new EventQueue();
  readonly #cores: number;
  readonly #random: RandomNumbers;
  readonly #stages: StageSimulation[];
  readonly #toCommit = new Queue<Chunk>();
  #now = 0;
  /** Seconds that a piece of work which ran from the begin on has got of its core: less than `#now` where cores are shared. */
  #worked = 0;
  #rowsLeft: number;
  #idleProducers: number;
  #inFlight = 0;
  #inFlightMost = 0;
  #producerBusy = 0;
  #fedAt = 0;
  #rows = 0;
  #chunks = 0;

  constructor(fleet: SimulatedFleet) {
    expectFleet(fleet);
    this.#fleet = fleet;
    this.#random = randomNumbers(fleet.seed);
    this.#rowsLeft = fleet.rows;
    this.#cores = fleet.sharedCores ?? Infinity;
    this.#idleProducers = fleet.producers;
    this.#stages = fleet.stages.map(
      (stage, index) =>
        new StageSimulation(stage, this.#random, {
          at: (time, act) => this.#timers.add(time, act),
          after: (seconds, act) => this.#work.add(this.#worked + seconds, act),
          now: () => this.#now,
          done: (job) => this.#jobDone(index, job),
          moreMayCome: () => this.#stages.slice(0, index).some(({ present }) => present > 0),
        }),
    );
  }

  run(): Simulation {
    this.#produce();
    const { producers, rows } = this.#fleet;
    // Not until nothing is left to happen: a timer may be set for rows that did not wait that long.
    while (this.#rows < rows) this.#next()();
    return {
      rows: this.#rows,
      chunks: this.#chunks,
      seconds: this.#now,
      feedSeconds: this.#fedAt,
      producerUtilisation: this.#now === 0 ? 0 : this.#producerBusy / (this.#now * producers),
      chunksMost: this.#inFlightMost,
      stages: this.#stages.map((stage) => stage.figures(this.#now)),
    };
  }

  /** Moves on to the next event. All work that is under way gets the same share of the cores. @returns what then happens */
  #next(): () => void {
    const pace = Math.min(1, this.#cores / Math.max(1, this.#work.length));
    const workEnds = this.#now + (this.#work.nextTime - this.#worked) / pace;
    if (this.#timers.nextTime <= workEnds) {
      const { time, act } = this.#timers.next();
      this.#worked += (time - this.#now) * pace;
      this.#now = time;
      return act;
    }
    const { time, act } = this.#work.next();
    this.#now = workEnds;
    this.#worked = time;
    return act;
  }

  /** Commits come first: they make room. */
  #produce(): void {
    const { chunkRows, chunksInFlight, feedSeconds, commitSeconds } = this.#fleet;
    while (this.#idleProducers > 0) {
      const done = this.#toCommit.shift();
      if (done !== undefined) {
        this.#producerWorks(done.rows * commitSeconds, () => {
          this.#rows += done.rows;
          this.#chunks += 1;
          this.#inFlight -= 1;
        });
        continue;
      }
      if (this.#rowsLeft === 0 || this.#inFlight >= chunksInFlight) return;
      const rows = Math.min(chunkRows, this.#rowsLeft);
      this.#rowsLeft -= rows;
      this.#inFlight += 1;
      this.#inFlightMost = Math.max(this.#inFlightMost, this.#inFlight);
      this.#producerWorks(rows * feedSeconds, () => {
        this.#fedAt = this.#now;
        this.#stages[0]!.add({ chunk: { rows, jobs: 1 }, rows, arrived: this.#now });
      });
    }
  }

  #producerWorks(seconds: number, then: () => void): void {
    this.#idleProducers -= 1;
    this.#producerBusy += seconds;
    this.#work.add(this.#worked + seconds, () => {
      this.#idleProducers += 1;
      then();
      this.#produce();
    });
  }

  #jobDone(index: number, { chunk, rows }: Job): void {
    const { survives, sliceRows } = this.#fleet.stages[index]!;
    const next = this.#stages[index + 1];
    const survivors = next === undefined ? 0 : drawSurvivors(rows, survives, this.#random);
    const slices = Math.min(survivors, Math.max(1, Math.ceil(rows / sliceRows)));
    chunk.jobs += slices - 1;
    for (let slice = 0; slice < slices; slice += 1) {
      const part = Math.floor(((slice + 1) * survivors) / slices) - Math.floor((slice * survivors) / slices);
      next?.add({ chunk, rows: part, arrived: this.#now });
    }
    if (this.#stages.slice(0, index + 1).every(({ present }) => present === 0)) {
      for (const stage of this.#stages.slice(index + 1)) stage.lookAgain();
    }
    if (chunk.jobs > 0) return;
    this.#toCommit.push(chunk);
    this.#produce();
  }
}

/** What a stage needs of the simulation around it. */
interface Surroundings {
  readonly at: (time: number, act: () => void) => void;
  /** When so many seconds of a core are worked off. */
  readonly after: (seconds: number, act: () => void) => void;
  readonly now: () => number;
  readonly done: (job: Job) => void;
  /** Whether rows are on their way to this stage. */
  readonly moreMayCome: () => boolean;
}

class StageSimulation {
  readonly #stage: SimulatedStage;
  readonly #random: RandomNumbers;
  readonly #around: Surroundings;
  readonly #queue = new Queue<Job>();
  readonly #workers: readonly Worker[];
  /** Workers with a free slot, in no order. */
  readonly #free: Worker[];
  #rows = 0;
  #present = 0;
  #presentMost = 0;
  #busySeconds = 0;
  #pooled = 0;

  constructor(stage: SimulatedStage, random: RandomNumbers, around: Surroundings) {
    this.#stage = stage;
    this.#random = random;
    this.#around = around;
    this.#workers = Array.from({ length: stage.replicas }, () => ({
      held: new Queue<Job>(),
      waiting: 0,
      jobs: 0,
      idleThreads: stage.threads,
      wakesAt: -1,
    }));
    this.#free = [...this.#workers];
  }

  /** Rows that entered and are not done. */
  get present(): number {
    return this.#present;
  }

  /** Begins what need not wait any longer. */
  lookAgain(): void {
    for (const worker of this.#workers) this.#begin(worker);
  }

  add(job: Job): void {
    this.#rows += job.rows;
    this.#present += job.rows;
    this.#presentMost = Math.max(this.#presentMost, this.#present);
    this.#queue.push(job);
    this.#giveOut();
  }

  figures(seconds: number): StageFigures {
    const { replicas, threads } = this.#stage;
    return {
      rows: this.#rows,
      busySeconds: this.#busySeconds,
      utilisation: seconds === 0 ? 0 : this.#busySeconds / (seconds * replicas * threads),
      rowsMost: this.#presentMost,
      rowsPooled: this.#rows === 0 ? 0 : this.#pooled / this.#rows,
    };
  }

  #giveOut(): void {
    while (this.#queue.length > 0 && this.#free.length > 0) {
      const index = Math.floor(this.#random() * this.#free.length);
      const worker = this.#free[index]!;
      const job = this.#queue.shift()!;
      worker.jobs += 1;
      worker.waiting += job.rows;
      job.arrived = this.#around.now();
      worker.held.push(job);
      if (worker.jobs === this.#stage.slots) {
        this.#free[index] = this.#free.at(-1)!;
        this.#free.pop();
      }
      this.#begin(worker);
    }
  }

  #begin(worker: Worker): void {
    while (worker.idleThreads > 0) {
      const oldest = worker.held.peek();
      if (oldest === undefined) return;
      if (!this.#isReady(worker, oldest)) {
        this.#wakeAt(worker, oldest.arrived + this.#stage.waitSeconds);
        return;
      }
      this.#serve(worker, oldest);
    }
  }

  /** A full batch can be had, or no more rows can come, or they have waited long enough. */
  #isReady(worker: Worker, oldest: Job): boolean {
    const { slots, fullAt, waitSeconds } = this.#stage;
    return (
      worker.jobs >= slots ||
      worker.waiting >= fullAt ||
      this.#around.now() >= oldest.arrived + waitSeconds ||
      (this.#queue.length === 0 && !this.#around.moreMayCome())
    );
  }

  #wakeAt(worker: Worker, time: number): void {
    if (worker.wakesAt === time) return;
    worker.wakesAt = time;
    this.#around.at(time, () => {
      if (worker.wakesAt === time) worker.wakesAt = -1;
      this.#begin(worker);
    });
  }

  #serve(worker: Worker, job: Job): void {
    const seconds = job.rows * this.#stage.rowSeconds(worker.waiting);
    this.#pooled += job.rows * worker.waiting;
    this.#busySeconds += seconds;
    worker.held.shift();
    worker.waiting -= job.rows;
    worker.idleThreads -= 1;
    this.#around.after(seconds, () => {
      worker.idleThreads += 1;
      this.#present -= job.rows;
      if (worker.jobs === this.#stage.slots) this.#free.push(worker);
      worker.jobs -= 1;
      this.#around.done(job);
      this.#giveOut();
      this.#begin(worker);
    });
  }
}

function expectFleet(fleet: SimulatedFleet): void {
  const counts = [
    fleet.chunkRows,
    fleet.chunksInFlight,
    fleet.producers,
    ...fleet.stages.flatMap(({ replicas, threads, slots }) => [replicas, threads, slots]),
  ];
  if (fleet.stages.length > 0 && counts.every((count) => Number.isInteger(count) && count >= 1)) return;
  throw new RangeError(
    `A fleet needs at least one stage and at least 1 of everything: got ${fleet.stages.length} stages, ${counts.join(', ')}.`,
  );
}
