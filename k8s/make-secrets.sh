#!/usr/bin/env bash
# Makes the secrets of a fleet on Kubernetes as files in a new folder, which no other user can read:
#
#   password, users.acl   a password for Redis; its users, with the password's SHA-256
#   keys.json             API keys, hashed; the key itself is printed, once
#
#   k8s/make-secrets.sh <folder>
#
# Then, as it says: kubectl create secret. It needs Node and what npm run build made.
set -euo pipefail

if [[ $# -ne 1 || "$1" == -* ]]; then
  echo "Usage: $0 <folder>" >&2
  exit 2
fi
if [[ -e "$1" ]]; then
  echo "$1 is there already. Name a new folder, so that no password is overwritten." >&2
  exit 1
fi
sluice="$(cd "$(dirname "$0")/.." && pwd)/apps/cli/bin/sluice.js"
umask 077
mkdir -p "$1"
node -e 'process.stdout.write(crypto.randomBytes(32).toString("hex"))' >"$1/password"
hash=$(node -e 'process.stdout.write(crypto.createHash("sha256").update(fs.readFileSync(process.argv[1])).digest("hex"))' "$1/password")
# Who gives no name may ask whether Redis is alive, and no more. What Sluice needs: docs/fleet.md.
cat >"$1/users.acl" <<ACL
user default on nopass resetkeys resetchannels -@all +ping
user sluice on #$hash ~{sluice}:* ~sluice:* &* +@all -@admin -@dangerous +info
ACL
node "$sluice" key admin --scope admin --file "$1/keys.json"
cat <<NEXT

Now:
  kubectl -n sluice create secret generic sluice-redis --from-file=$1/password --from-file=$1/users.acl
  kubectl -n sluice create secret generic sluice-keys --from-file=$1/keys.json
NEXT
