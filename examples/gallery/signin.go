package main

import (
	"net/http"
	"net/url"
)

// signIn is where one comes in. Its links start the flows of managed login; return_to, which the
// guard of a protected room puts into the address, says where to go afterwards. The auth routes
// check it.
func signIn(r *http.Request) (any, error) {
	asked := r.URL.Query()
	link := func(path string, query url.Values) string {
		if to := asked.Get("return_to"); to != "" {
			query.Set("return_to", to)
		}
		return (&url.URL{Path: path, RawQuery: query.Encode()}).String()
	}
	return struct {
		SignIn, SignInWithGoogle, SignUp string
		Notice                           *notice
	}{
		SignIn:           link("/api/auth/sign-in", url.Values{}),
		SignInWithGoogle: link("/api/auth/sign-in", url.Values{"provider": {"Google"}}),
		SignUp:           link("/api/auth/sign-up", url.Values{}),
		Notice:           noticeOf(asked.Get("error")),
	}, nil
}

// notice says why a visitor is back.
type notice struct {
	Title, Advice string
}

// noticeOf explains the error with which a flow ended. The error_description beside it is
// not shown: the author of a link to this page could make it say anything.
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
