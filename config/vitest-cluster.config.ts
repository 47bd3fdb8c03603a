/** Of `npm run test:cluster`: the manifests of k8s/ on a real control plane, which is built first. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../vitest.config.js';

export default mergeConfig(
  base,
  defineConfig({
    root: '.',
    test: {
      include: ['test/kubernetes/cluster/real-cluster.ts'],
      globalSetup: ['test/kubernetes/cluster/install-etcd.ts'],
      // The first start builds Kubernetes.
      hookTimeout: 60 * 60_000,
    },
  }),
);
