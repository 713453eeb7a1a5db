// Package srp is the server's side of sign-in with Amazon Cognito's variant of the
// Secure Remote Password protocol, so that passwords need not be sent or stored.
//
// The variant is SRP-6a (RFC 5054) over the 3,072-bit group of RFC 3526
// with SHA-256. It pads numbers like Java's BigInteger.toByteArray. In
// place of RFC 5054's proof it has an HMAC under a key that HKDF derives.
//
// A server stores a [Verifier]. For each sign-in it makes a [Challenge] from the
// client's public value, and checks the client's answer with [Challenge.Verify].
// [Verifier.Matches] checks a password that a client sent in plain text.
package srp
