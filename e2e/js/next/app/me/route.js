import { cookies } from 'next/headers';
import { session } from '../../lib/amplify';

// A route handler: refreshed tokens travel back by Set-Cookie.
export async function GET(request) {
  const forceRefresh = new URL(request.url).searchParams.has('refresh');
  try {
    const user = await session({ cookies }, { forceRefresh });
    return Response.json(user ?? {}, { status: user ? 200 : 401 });
  } catch (error) {
    return Response.json({ error: error.name }, { status: 500 });
  }
}
