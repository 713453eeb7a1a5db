import { cookies } from 'next/headers';
import { session } from '../lib/amplify';

export const dynamic = 'force-dynamic';

// A server component: it can read cookies and write none.
export default async function Home() {
  const user = await session({ cookies });
  return (
    <main>
      {user ? <p id="user">{user.username}</p> : <p id="guest">Nobody is signed in.</p>}
      <a id="sign-in" href="/api/auth/sign-in">Sign in</a>
      <a id="sign-out" href="/api/auth/sign-out">Sign out</a>
    </main>
  );
}
