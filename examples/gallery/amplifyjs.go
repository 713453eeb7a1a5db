package main

import "net/http"

// amplifyJS is where one comes in if the browser signs people in. The page gets a form, and from
// the server only what Amplify JS must know of the user pool: web/amplifyjs.js does the rest. The
// tokens come back as cookies with the next request.
func (g *gallery) amplifyJS(*http.Request) (any, error) {
	// A page on AWS does with amplify_outputs.json as it is. This one has to be told where the
	// stand-in for AWS listens, which a ResourcesConfig can say.
	return struct{ ResourcesConfig any }{map[string]any{
		"Auth": map[string]any{"Cognito": map[string]any{
			"userPoolId":       g.config.Auth.UserPoolID,
			"userPoolClientId": g.config.Auth.UserPoolClientID,
			"userPoolEndpoint": g.backend.UserPool,
		}},
	}}, nil
}

// script answers with Amplify JS, bundled.
func (g *gallery) script(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	w.Write(g.bundle) // an error means that the visitor has left
}
