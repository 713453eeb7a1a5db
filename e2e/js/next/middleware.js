import { NextResponse } from 'next/server';
import { session } from './lib/amplify';

// As the Amplify documentation shows it: expired tokens are refreshed on the way through. It is the
// default export since Next.js 16 has another name for it.
export default async function guard(request) {
  const response = NextResponse.next();
  const user = await session({ request, response }).catch(() => null);
  return user ? response : NextResponse.redirect(new URL('/', request.url));
}

export const config = { matcher: '/protected' };
