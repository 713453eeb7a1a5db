// Package srp is the server's side of Amazon Cognito's variant of the Secure Remote Password protocol: SRP-6a
// (RFC 5054) over the 3,072-bit group of RFC 3526 with SHA-256, numbers padded like Java's
// BigInteger.toByteArray, and, in place of RFC 5054's proof, an HMAC under a key that HKDF derives.
//
// A server keeps a [Verifier], never a password. A sign-in is a [Challenge], made from the client's public value,
// and the client's claim to it, which [Challenge.Verify] judges. Whoever sends a password in plain is judged by
// [Verifier.Matches].
package srp
