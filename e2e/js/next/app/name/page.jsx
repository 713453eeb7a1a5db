import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { session } from '../../lib/amplify';

export const dynamic = 'force-dynamic';

// A form with a server action, which Next.js refuses if the browser's origin is not its own host.
async function rename(form) {
  'use server';
  const user = await session({ cookies });
  redirect(`/name?is=${encodeURIComponent(`${user?.username} is now ${form.get('name')}`)}`);
}

export default async function Name({ searchParams }) {
  const { is } = await searchParams;
  return (
    <form action={rename}>
      <p>{is}</p>
      <label>
        Name <input name="name" />
      </label>
      <button>Rename</button>
    </form>
  );
}
