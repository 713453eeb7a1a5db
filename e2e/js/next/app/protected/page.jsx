import { cookies } from 'next/headers';
import { session } from '../../lib/amplify';

export const dynamic = 'force-dynamic';

// The middleware lets signed-in users pass only.
export default async function Protected() {
  const user = await session({ cookies });
  return <h1>{`Inside, ${user?.username}.`}</h1>;
}
