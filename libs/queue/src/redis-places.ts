import { readFileSync } from 'node:fs';
import type { RedisPlace } from './redis-connection.js';

/** As libs/config has them. */
interface RedisSettings {
  readonly url: string;
  readonly activationsUrl: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly cluster: boolean;
  readonly tls: {
    readonly ca: string | null;
    readonly certificate: string | null;
    readonly key: string | null;
  };
}

/**
 * Where the queues and where the activations live.
 * @throws Error of the file system for a file of TLS that cannot be read
 */
export function redisPlaces(settings: RedisSettings): {
  readonly queue: RedisPlace;
  readonly activations: RedisPlace;
} {
  const { url, activationsUrl, username, password, cluster, tls } = settings;
  const common = {
    cluster,
    username: username ?? undefined,
    password: password ?? undefined,
    tls: {
      ...(tls.ca === null ? {} : { ca: readFileSync(tls.ca, 'utf8') }),
      ...(tls.certificate === null ? {} : { cert: readFileSync(tls.certificate, 'utf8') }),
      ...(tls.key === null ? {} : { key: readFileSync(tls.key, 'utf8') }),
    },
  };
  return { queue: { ...common, url }, activations: { ...common, url: activationsUrl ?? url } };
}
