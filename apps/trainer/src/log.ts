/** How a service tells what it does. */
export interface Log {
  log(message: string): void;
  warn(message: string): void;
}
