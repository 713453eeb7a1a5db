// Package token says which texts are tokens of a user pool, and which of them make a session. The
// rules are here once: package cognito keeps sessions by them, and package verify judges sessions
// at the edge. It knows neither net/http nor where keys come from.
package token
