/** Before the tests on a real control plane: installs etcd where it can. */
import { installPackages } from '../../install-services.js';

export default function installEtcd(): void {
  installPackages({ 'etcd-server': ['etcd', '--version'] });
}
