import { cookies } from 'next/headers';
import { session } from '../lib/amplify';

export const dynamic = 'force-dynamic';

// A server component: it can read cookies and write none.
export default async function Home() {
  const user = await session({ cookies });
  return (
    <main>
      <h1>{`Hello, ${user ? user.username : 'stranger'}.`}</h1>
      <a href="/api/auth/sign-in">Sign in</a> <a href="/api/auth/sign-out">Sign out</a>
    </main>
  );
}
