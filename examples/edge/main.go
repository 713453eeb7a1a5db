//go:build js

// Command edge decides at the edge of a network which requests pass: those of signed-in users.
// middleware.mjs starts it with the ids of the user pool and the app client, and calls it.
package main

import (
	"errors"
	"net/url"
	"os"
	"slices"
	"syscall/js"

	"github.com/amplify-go/amplify/verify"
)

// signIn is the route of the server behind that signs users in. A user whose session has expired
// comes back from there at once, with a session that has been refreshed.
const signIn = "/api/auth/sign-in"

// open are the pages that need no session: the routes that users sign in and out by.
var open = []string{
	signIn, "/api/auth/sign-up", "/api/auth/sign-in-callback",
	"/api/auth/sign-out", "/api/auth/sign-out-callback", "/api/auth/signed-out",
}

func main() {
	g := &gate{poolID: os.Args[1], clientID: os.Args[2]}
	js.Global().Set("amplifyEdge", map[string]any{
		"keysURL": verify.KeysURL(g.poolID),
		"useKeys": js.FuncOf(func(_ js.Value, args []js.Value) any {
			return g.useKeys(args[0].String())
		}),
		"decide": js.FuncOf(func(_ js.Value, args []js.Value) any {
			return g.decide(args[0].String(), args[1].String(), args[2].String())
		}),
	})
	select {} // the functions live as long as the program
}

// gate lets the requests of signed-in users pass. JavaScript calls one of its methods at a time.
type gate struct {
	poolID, clientID string
	verifier         *verify.Verifier
}

// useKeys(keys) makes a JSON Web Key Set the keys of the user pool. It returns null, or what is
// wrong.
func (g *gate) useKeys(keys string) any {
	v, err := verify.New(verify.Options{
		UserPoolID: g.poolID, ClientID: g.clientID, Keys: []byte(keys),
	})
	if err != nil {
		return err.Error()
	}
	g.verifier = v
	return nil
}

// decide(method, url, cookies) returns {pass: true}, or the status and the location of the answer
// to a request that does not pass, with the reason. Only pages are redirected: what a form or a
// script sends would get lost at the sign-in.
func (g *gate) decide(method, address, cookies string) any {
	u, err := url.Parse(address)
	if err != nil {
		return map[string]any{"status": 400, "reason": "bad_url"}
	}
	if slices.Contains(open, u.EscapedPath()) {
		return map[string]any{"pass": true}
	}
	_, err = g.verifier.Session(cookies)
	if err == nil {
		return map[string]any{"pass": true}
	}
	answer := map[string]any{"status": 401, "reason": "unknown"}
	if refused, ok := errors.AsType[*verify.Error](err); ok {
		answer["reason"] = string(refused.Reason)
	}
	if method == "GET" || method == "HEAD" {
		answer["status"] = 303
		answer["location"] = signIn + "?return_to=" + url.QueryEscape(u.RequestURI())
	}
	return answer
}
