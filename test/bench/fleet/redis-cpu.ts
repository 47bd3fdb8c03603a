import type { Redis } from 'ioredis';

/** User and system time of a Redis, seconds. */
export async function redisCpuSeconds(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  return ['sys', 'user'].reduce(
    (sum, kind) => sum + Number(new RegExp(`^used_cpu_${kind}:(\\S+)`, 'm').exec(info)?.[1] ?? 0),
    0,
  );
}
