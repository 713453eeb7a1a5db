package main

import (
	"net/http"
	"net/url"
)

// signIn is where one comes in. Its links start the flows of managed login; return_to, which the guard of a protected room puts
// into the address, says where to go afterwards.
func signIn(r *http.Request) (any, error) {
	query := r.URL.Query()
	links := func(path string, extra url.Values) string {
		if to := query.Get("return_to"); to != "" {
			extra.Set("return_to", to)
		}
		return (&url.URL{Path: path, RawQuery: extra.Encode()}).String()
	}
	return struct {
		SignIn, SignInWithGoogle, SignUp string
		Notice                           *notice
	}{
		SignIn:           links("/api/auth/sign-in", url.Values{}),
		SignInWithGoogle: links("/api/auth/sign-in", url.Values{"provider": {"Google"}}),
		SignUp:           links("/api/auth/sign-up", url.Values{}),
		Notice:           noticeOf(query.Get("error")),
	}, nil
}

// notice says why a visitor is back.
type notice struct {
	Title, Advice string
}

// noticeOf explains the error with which a flow ended. The error_description beside it goes unshown:
// whoever makes up a link to this page could make it say anything.
func noticeOf(code string) *notice {
	switch code {
	case "":
		return nil
	case "timeout":
		return &notice{"That took too long.", "Signing in has to be finished within five minutes, in the browser where it began. Please try again."}
	case "access_denied":
		return &notice{"You did not sign in.", "The sign-in was cancelled or refused. Try again, or choose another way in."}
	default:
		return &notice{"Signing in did not work.", "Please try again. If it happens again, the log of the server says more."}
	}
}
