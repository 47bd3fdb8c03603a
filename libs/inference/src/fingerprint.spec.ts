import { describe, expect, it } from 'vitest';
import { fingerprint, kernelFlagsOf } from './fingerprint.js';

describe('fingerprint', () => {
  it('names the runtime, the provider and the machine, the same each time', () => {
    expect(fingerprint()).toMatch(/^onnxruntime \d+\.\d+\.\d+ cpu \S+ \S/);
    expect(fingerprint()).toBe(fingerprint());
  });

  it('takes the flags that pick kernels, whatever their order', () => {
    const intel =
      'processor : 0\nmodel name : Xeon\nflags\t\t: fpu avx2 avx512_vnni avx sse4_1 fma hypervisor\n';
    expect(kernelFlagsOf(intel)).toBe('sse4_1 avx fma avx2 avx512_vnni');
    expect(kernelFlagsOf('processor : 0\nFeatures : fp asimd asimddp i8mm\n')).toBe('asimddp i8mm');
  });

  it('says nothing where the system lists no flags', () => {
    expect(kernelFlagsOf('')).toBeUndefined();
  });
});
